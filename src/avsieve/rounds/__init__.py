"""Further rounds of cleansing: what encoders trained on the cleansed list say of the list, and what that is worth."""
