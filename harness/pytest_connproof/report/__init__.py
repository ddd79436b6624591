"""What a run leaves behind: certificates, and a table on the screen. One file a format."""
