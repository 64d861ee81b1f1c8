"""Each runs in the environment of its server and takes the port, path, folder and form from PEER_ variables."""
