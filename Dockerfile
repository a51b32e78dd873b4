# Builds the server alone; PostgreSQL is another container (docker-compose.yml).
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=${VERSION}" -o /out/stepcast ./cmd/stepcast && mkdir /out/data

FROM debian:bookworm-slim
RUN apt-get update \
	&& apt-get install -y --no-install-recommends ca-certificates curl \
	&& rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 10001 --home-dir /data --no-create-home stepcast
COPY --from=build /out/stepcast /usr/local/bin/stepcast
# A named volume takes over this folder's owner. It holds the address and the
# first token, and nothing else when the database is elsewhere.
COPY --from=build --chown=10001:10001 /out/data /data
USER 10001:10001
ENV STEPCAST_DATA_DIR=/data \
	STEPCAST_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
# Alive, not ready: a database that is away is no reason to kill the server.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
	CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["stepcast"]
CMD ["serve"]
