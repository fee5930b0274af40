"""The topology of docker-compose.yml as plain processes: `make production-check`."""
