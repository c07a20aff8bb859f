"""What everyone stands on: settings, database access, migrations, units, time, errors. Knows no domain."""
