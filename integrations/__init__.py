"""Who else must hear of it: connections to outside services, and the engine that keeps them in step."""
