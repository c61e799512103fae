# What ships: one binary, no shell needed, no root.
#
#   docker build -t octroi .
#   docker run -p 443:8443 -p 80:8080 -v octroi-etc:/etc/octroi -v octroi-data:/var/lib/octroi octroi
#
# Inside, the gateway listens above 1024; the published ports are the public ones, so the
# configuration says `public_port = 443`.

FROM rust:1-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential cmake \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package octroi \
 && install -D --mode=0755 target/release/octroi /out/octroi

FROM debian:bookworm-slim
# The authorities of the system, for upstreams that are spoken to over TLS.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/octroi --shell /usr/sbin/nologin octroi \
 && install -d --owner=octroi --group=octroi --mode=0700 /etc/octroi /var/lib/octroi /run/octroi
COPY --from=build /out/octroi /usr/local/bin/octroi
USER octroi
ENV OCTROI_LOG=json
EXPOSE 8443 8080
VOLUME ["/etc/octroi", "/var/lib/octroi"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/octroi"]
CMD ["serve", "--config", "/etc/octroi/octroi.toml"]
