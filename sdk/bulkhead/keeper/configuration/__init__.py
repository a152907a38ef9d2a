"""What a keeper is told: settings, their files and variables, and whose keys it signs with."""
