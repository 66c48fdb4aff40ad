"""The test suite, and the sandbox vendors that tests and demo share."""
