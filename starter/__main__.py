"""`python -m starter` is `bookings`: how the supervisor starts its own children whatever is on the PATH."""

from starter.cli import main

if __name__ == "__main__":
    main()
