"""The staff's pages for contacts and lists, one noun a file."""
