# syntax=docker/dockerfile:1
# Three images, each one static binary and nothing else:
#
#   docker build --target webhook -t podsight/webhook:0.1.0 .
#   docker build --target agent   -t podsight/agent:0.1.0 .
#   docker build --target cli     -t podsight/cli:0.1.0 .
#
# For several processors at once, each built on its own: `docker buildx build --platform linux/amd64,linux/arm64 …`.
# `cargo xtask image` makes the same images without a Docker engine, and `cargo xtask dist` all that a release has.
#
# The base is pinned by tag, to the compiler that rust-toolchain.toml names. To pin it by digest as well,
# append what `docker buildx imagetools inspect rust:1.95.0-bookworm` prints as Digest: `…-bookworm@sha256:…`.
ARG RUST=rust:1.95.0-bookworm

FROM ${RUST} AS build
WORKDIR /source
# Not rust-toolchain.toml: the image brings the compiler, and rustup would fetch clippy and rustfmt.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates crates
COPY tests tests
# Static, so that the image needs no libc. A static glibc cannot load name service modules: the webhook and
# the agent never resolve a name, and `podsight` in the image is for files and for addresses.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/source/target,sharing=locked \
    set -eu; \
    target="$(rustc --print host-tuple)"; \
    cargo build --locked --profile image --target "$target" \
        --package podsight-webhook --package podsight-agent --package podsight-cli; \
    mkdir /out; \
    cd "target/$target/image"; \
    cp podsight-webhook podsight-agent podsight /out/

FROM scratch AS webhook
LABEL org.opencontainers.image.title="podsight-webhook" \
      org.opencontainers.image.description="Warns at kubectl apply about pods that will fail" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/podsight-webhook /podsight-webhook
USER 65532:65532
EXPOSE 8443 9090
ENTRYPOINT ["/podsight-webhook"]

FROM scratch AS agent
LABEL org.opencontainers.image.title="podsight-agent" \
      org.opencontainers.image.description="Writes kernel-confirmed OOM kills on the pods that they hit" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/podsight-agent /podsight-agent
# Root, because CAP_SYSLOG reaches no other user; deploy/base takes every other capability away.
USER 0:0
EXPOSE 9090
ENTRYPOINT ["/podsight-agent"]

FROM scratch AS cli
LABEL org.opencontainers.image.title="podsight" \
      org.opencontainers.image.description="Checks manifests, reads kernel logs and explains failed pods" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/podsight /podsight
USER 65532:65532
ENTRYPOINT ["/podsight"]
