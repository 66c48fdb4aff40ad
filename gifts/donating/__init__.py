"""What programs of others report: people, and the donations that they gave on pages elsewhere (O1-O13). Below HTTP."""
