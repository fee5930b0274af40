"""The SQL side: tables, migrations, repositories. The only place that knows SQLAlchemy."""
