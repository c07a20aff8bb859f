# One image for all of Pilotbed's processes. Build: docker compose build
FROM python:3.11.14-slim-bookworm AS build
RUN python -m venv /opt/pilotbed
COPY requirements/run.txt /opt/pilotbed/requirements.txt
RUN /opt/pilotbed/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes \
    -r /opt/pilotbed/requirements.txt
COPY LICENSE /opt/pilotbed/LICENSE
COPY core /opt/pilotbed/src/core
COPY devices /opt/pilotbed/src/devices
COPY ingest /opt/pilotbed/src/ingest
COPY telemetry /opt/pilotbed/src/telemetry
COPY kpi /opt/pilotbed/src/kpi
COPY dashboards /opt/pilotbed/src/dashboards
COPY simulators /opt/pilotbed/src/simulators
COPY pilotbed /opt/pilotbed/src/pilotbed
# The packages found from anywhere, and the command: two small files in place of a build. `-P`: whatever lies in the
# current folder is never imported.
RUN packages=$(/opt/pilotbed/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])') \
    && printf '/opt/pilotbed/src\n' >"$packages/pilotbed.pth" \
    && printf '#!/bin/sh\nexec /opt/pilotbed/bin/python -P -m pilotbed "$@"\n' >/opt/pilotbed/bin/pilotbed \
    && chmod 0755 /opt/pilotbed/bin/pilotbed \
    && chmod -R a+rX /opt/pilotbed \
    && /opt/pilotbed/bin/python -m compileall -q /opt/pilotbed/src \
    && /opt/pilotbed/bin/pilotbed --version

FROM python:3.11.14-slim-bookworm
# The numbers of the user in the image eclipse-mosquitto, with which `broker-setup` shares a volume. A new volume takes the
# owner of the folder that it is mounted on.
RUN groupadd --gid 1883 pilotbed \
    && useradd --uid 1883 --gid 1883 --no-create-home --home-dir /var/lib/pilotbed --shell /usr/sbin/nologin pilotbed \
    && install -d -o pilotbed -g pilotbed -m 0700 /var/lib/pilotbed /mosquitto/data /mosquitto/log
COPY --from=build /opt/pilotbed /opt/pilotbed
ENV PATH=/opt/pilotbed/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp \
    PILOTBED_DATA_DIR=/var/lib/pilotbed
USER 1883:1883
WORKDIR /var/lib/pilotbed
EXPOSE 8400
ENTRYPOINT ["pilotbed"]
CMD ["--help"]
