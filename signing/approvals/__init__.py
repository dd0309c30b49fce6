"""What an approval is for, and whether it was given: the part both sides need.

Services ask and decide with it, the signing worker checks by it before it signs. It reads and writes rows, authorises
nobody and opens no key.
"""
