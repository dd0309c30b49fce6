"""`make fuzz N=...`: documents damaged in every way, read in this process, none of which may harm it."""
