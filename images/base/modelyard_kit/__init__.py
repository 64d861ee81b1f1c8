"""What pods share: store client, task runner, progress endpoint, tables, models and profiles."""
