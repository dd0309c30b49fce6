"""Keys in key services that sign with them and never give them away: AWS KMS, and the transit engine of Vault.

Each says what its key is and signs a digest; everything else is the same for both.
"""
