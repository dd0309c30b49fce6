// Passkeys: the browser's part of a form that carries what the authenticator answered. Which form wants what is said in
// its attributes: data-passkey is "create" or "get"; the options stand in the page (data-passkey-options names the
// element) or are fetched (data-passkey-url); the answer goes into the hidden field that data-passkey-field names.
(() => {
  "use strict";
  const refusals = {
    NotAllowedError: "Nothing was done: it was cancelled, or it took too long.",
    InvalidStateError: "This device or key is set up here already.",
    SecurityError: "The browser allows no passkeys under this address.",
    NotSupportedError: "This device or key cannot do what is asked.",
  };

  const optionsOf = async (form) => {
    const { passkeyOptions, passkeyUrl } = form.dataset;
    if (passkeyOptions) return JSON.parse(document.getElementById(passkeyOptions).textContent);
    const answer = await fetch(passkeyUrl, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("The server gave no challenge.");
    return (await answer.json()).request_options;
  };

  // A passkey that signs in alone has to be kept on the device and to ask for a PIN or a finger.
  const choose = (options, form) => {
    const alone = form.elements.passwordless;
    if (!alone) return;
    const wanted = options.publicKey.authenticatorSelection;
    wanted.residentKey = alone.checked ? "required" : "discouraged";
    wanted.requireResidentKey = alone.checked;
    if (alone.checked) wanted.userVerification = "required";
  };

  const ask = async (form) => {
    const options = await optionsOf(form);
    choose(options, form);
    const { create, get } = window.webauthnJSON;
    const answer = await (form.dataset.passkey === "create" ? create(options) : get(options));
    form.elements[form.dataset.passkeyField || "credential"].value = JSON.stringify(answer);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-passkey-button]");
    if (!button) return;
    const form = button.form;
    const said = form.querySelector("[data-passkey-said]");
    event.preventDefault();
    said.hidden = true;
    button.disabled = true;
    try {
      await ask(form);
      form.submit();
    } catch (error) {
      said.textContent = refusals[error.name] || error.message;
      said.hidden = false;
      button.disabled = false;
    }
  });

  if (window.webauthnJSON && window.webauthnJSON.supported()) document.documentElement.classList.add("passkeys");
})();
