"""Other model servers, each in an environment of its own and with the same model, beside ours."""
