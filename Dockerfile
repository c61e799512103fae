# What ships: one binary, no root. `docs/ops/install.md` has the commands; deploy/compose.yaml starts it.

FROM rust:1-slim-bookworm AS build
# aws-lc and SQLite are C.
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
# The authorities of the system, for services that are spoken to over TLS. The numbers are said, so that folders of the
# host can be given to them.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 octroi \
 && useradd --uid 10001 --gid octroi --no-create-home --home-dir /var/lib/octroi --shell /usr/sbin/nologin octroi \
 && install -d --owner=octroi --group=octroi --mode=0700 /etc/octroi /var/lib/octroi
COPY --from=build /out/octroi /usr/local/bin/octroi
USER octroi
ENV OCTROI_LOG=json
EXPOSE 443 80
VOLUME ["/var/lib/octroi"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/octroi"]
CMD ["serve", "--config", "/etc/octroi/octroi.toml"]
