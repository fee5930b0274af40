# syntax=docker/dockerfile:1
# One image for every process of the program: gateway, console, workers, migrations, and the stand-ins of the profile `sandbox`.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/bookings
WORKDIR /src
COPY requirements/runtime.txt requirements/runtime.txt
RUN /opt/bookings/bin/pip install --require-hashes -r requirements/runtime.txt
COPY . .
RUN /opt/bookings/bin/pip install --no-deps --no-build-isolation . \
    && /opt/bookings/bin/python -m compileall -q /opt/bookings

FROM python:${PYTHON}-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="booking-orchestrator" \
      org.opencontainers.image.description="A durable back office for travel agencies" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin bookings \
    && install -d -o bookings -g bookings /var/lib/bookings
COPY --from=build /opt/bookings /opt/bookings
ENV PATH=/opt/bookings/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BOOKINGS_SETTINGS=/etc/bookings/settings.toml \
    BOOKINGS_PROBES=0.0.0.0:9464
USER 10001:10001
WORKDIR /var/lib/bookings
VOLUME /var/lib/bookings
EXPOSE 8080 8081 9464
# Commands that end by themselves have no probes; compose switches the check off for them.
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=6 CMD ["python", "-m", "workers.probing"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["bookings"]
CMD ["--help"]
