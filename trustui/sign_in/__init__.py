"""What stands between a person and their session: counted attempts, second factors, directories, session rules.

The pages are in `trustui.pages`, what is written and audited in `signing.services`; allauth carries out the protocols.
"""
