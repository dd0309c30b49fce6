// Passkeys: the browser's part of a form that carries what the authenticator answered. The button says what it wants:
// data-passkey-button is "create" or "get"; the options stand in the page (data-passkey-options names the element) or
// are fetched (data-passkey-url); the answer goes into the hidden field that data-passkey-field names.
(() => {
  "use strict";
  const refusals = {
    NotAllowedError: "Nothing was done: it was cancelled, or it took too long.",
    InvalidStateError: "This device or key is set up here already.",
    SecurityError: "The browser allows no passkeys under this address.",
    NotSupportedError: "This device or key cannot do what is asked.",
  };

  const optionsOf = async ({ passkeyOptions, passkeyUrl }) => {
    if (passkeyOptions) return JSON.parse(document.getElementById(passkeyOptions).textContent);
    const answer = await fetch(passkeyUrl, { headers: { Accept: "application/json" } });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.problem || "The server gave no challenge. Reload the page and try again.");
    return said.request_options;
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

  const ask = async (button) => {
    const options = await optionsOf(button.dataset);
    choose(options, button.form);
    const { create, get } = window.webauthnJSON;
    const answer = await (button.dataset.passkeyButton === "create" ? create(options) : get(options));
    button.form.elements[button.dataset.passkeyField || "credential"].value = JSON.stringify(answer);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-passkey-button]");
    if (!button) return;
    event.preventDefault();
    if (!button.form.reportValidity()) return;
    const said = button.form.querySelector("[data-passkey-said]");
    said.hidden = true;
    button.disabled = true;
    try {
      await ask(button);
      button.disabled = false;
      button.form.requestSubmit(button);
    } catch (error) {
      said.textContent = refusals[error.name] || error.message;
      said.hidden = false;
      button.disabled = false;
    }
  });
})();
