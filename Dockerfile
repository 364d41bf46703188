# All images of skolo, one stage each; docker-bake.hcl builds them for every platform. See docs/reference/images.md.
#
# Base images must be Debian 12 with node on the PATH; the builder's also needs npm.
ARG BASE=node:24-bookworm-slim
ARG BASE_ARMV7=node:22-bookworm-slim
ARG BUILD_BASE=node:24-bookworm-slim
# With `given`, uses the existing output of `npm run bundle` instead of building it here.
ARG BUNDLE=built

FROM --platform=$BUILDPLATFORM ${BUILD_BASE} AS bundle-built
WORKDIR /skolo
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci
ARG VERSION
RUN npm run bundle -- --version "${VERSION}"

FROM ${BASE} AS base-amd64
FROM ${BASE} AS base-arm64
# Node publishes no binaries for this platform after version 22.
FROM ${BASE_ARMV7} AS base-armv7

FROM base-${TARGETARCH}${TARGETVARIANT} AS bundle-given
COPY out/bundle /skolo/out/bundle
ARG VERSION
# docker-bake.hcl writes VERSION into the image's label, and `skolo push` fails if the service reports another version.
RUN if [ -n "${VERSION}" ] && \
    grep -FL "\"version\": \"${VERSION}\"" /skolo/out/bundle/*/opt/skolo/*/*/package.json | grep .; \
  then echo "out/bundle: other version; run npm run bundle -- --version ${VERSION}" >&2; exit 1; fi

FROM bundle-${BUNDLE} AS bundle

FROM base-${TARGETARCH}${TARGETVARIANT} AS base
# Not useradd, which writes the current date into /etc/shadow.
RUN echo 'skolo:x:10001:10001:skolo:/var/lib/skolo:/usr/sbin/nologin' >> /etc/passwd \
  && echo 'skolo:x:10001:' >> /etc/group \
  && install --directory /etc/skolo /var/lib/skolo
WORKDIR /opt/skolo
# A single glibc arena for all threads saves 2 to 8 MiB of resident memory.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
STOPSIGNAL SIGTERM

FROM base AS metadata-server
# ip: also looks up machines by the MAC address of their IPv6 address.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends iproute2 \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig/aux-cache /var/log/apt /var/log/dpkg.log
RUN install --directory --owner=10001 --group=10001 /var/lib/skolo/metadata-server
COPY --from=bundle /skolo/out/bundle/metadata-server/opt/skolo/services services
USER 10001:10001
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=20", "services/metadata-server/dist/main.js"]

FROM base AS power-cycle-daemon
# ipmitool: for machines with a BMC. ping: checks whether a machine is back up. With a file capability, it could not start in a container
# without capabilities, and it does not need one. tini: as process 1, the service could not be killed by its watchdog.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ipmitool iputils-ping libcap2-bin tini \
  && setcap -r /usr/bin/ping \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig/aux-cache /var/log/apt /var/log/dpkg.log
RUN install --directory --owner=10001 --group=10001 /var/lib/skolo/power-cycle-daemon
COPY --from=bundle /skolo/out/bundle/power-cycle-daemon/opt/skolo/services services
USER 10001:10001
ENTRYPOINT ["tini", "--", "node", "--max-semi-space-size=4", "--heap-growing-percent=20", "services/power-cycle-daemon/dist/main.js"]

# git: the configuration history and its copies. ssh, ssh-keyscan: connections to a git server. tini: for router-backup's watchdog.
FROM base AS with-git
RUN apt-get update \
  && apt-get install --yes --no-install-recommends git openssh-client tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig/aux-cache /var/log/apt /var/log/dpkg.log

FROM with-git AS router-backup
RUN install --directory --owner=10001 --group=10001 /var/lib/skolo/router-backup
COPY --from=bundle /skolo/out/bundle/router-backup/opt/skolo/services services
USER 10001:10001
ENTRYPOINT ["tini", "--", "node", "--max-semi-space-size=4", "--heap-growing-percent=20", "services/router-backup/dist/main.js"]

FROM base AS alert-to-pubsub
RUN install --directory --owner=10001 --group=10001 /var/lib/skolo/alert-to-pubsub
COPY --from=bundle /skolo/out/bundle/alert-to-pubsub/opt/skolo/services services
USER 10001:10001
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=20", "--memory-saver-mode", "services/alert-to-pubsub/dist/main.js"]

FROM base AS machine-state
RUN install --directory --owner=10001 --group=10001 /var/lib/skolo/machine-state
COPY --from=bundle /skolo/out/bundle/machine-state/opt/skolo/services services
USER 10001:10001
ENTRYPOINT ["node", "--max-semi-space-size=4", "--heap-growing-percent=20", "services/machine-state/dist/main.js"]

FROM base AS swarming-client
# python3: the bot. adb, libimobiledevice, ssh: devices. uhubctl: their USB ports. tini: reaps processes that adb leaves behind.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    adb ca-certificates libimobiledevice-utils openssh-client python3 tini uhubctl \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig/aux-cache /var/log/apt /var/log/dpkg.log
COPY --from=bundle /skolo/out/bundle/swarming-client/etc /etc
# Bots look for this file, and only Docker creates it.
COPY --from=bundle /skolo/out/bundle/swarming-client/.dockerenv /.dockerenv
COPY --from=bundle /skolo/out/bundle/swarming-client/opt/skolo/services services
# The shim's `sudo` comes first, also in `kubectl exec` sessions.
ENV PATH=/opt/skolo/services/swarming-client/shim:$PATH
# Root, for USB access and for what tasks do.
ENTRYPOINT ["tini", "--", "node", "services/swarming-client/dist/main.js"]

FROM with-git AS cli
RUN ln --symbolic /opt/skolo/packages/cli/bin/skolo.js /usr/local/bin/skolo
COPY --from=bundle /skolo/out/bundle/cli/opt/skolo/packages packages
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["node", "/opt/skolo/packages/cli/bin/skolo.js"]

# The rack's time, for the component of this name. Jumphosts already have its base image. The package's user would have the current date in
# /etc/shadow.
FROM base AS chrony
RUN apt-get update \
  && apt-get install --yes --no-install-recommends chrony \
  && sed --in-place '/^_chrony:/s/:[0-9]*:/::/' /etc/shadow \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig/aux-cache /var/log/apt /var/log/dpkg.log
ENTRYPOINT ["/usr/sbin/chronyd", "-d"]
