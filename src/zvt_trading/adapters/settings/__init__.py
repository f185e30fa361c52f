"""What a user says in a file and in the environment: settings, API keys, and what logs may show."""
