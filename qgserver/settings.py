"""Settings of the process: the only reader of ``os.environ``."""
