# Stand-ins for official images, from Debian's packages: as much of them as docker-compose.yml and
# the Dockerfile use. stand-ins.sh builds them.
FROM leque-stand-in-debian AS debian
ENV DEBIAN_FRONTEND=noninteractive
LABEL leque.stand-in="yes"
# Nothing is started by installing it; a mirror may be as old as it likes.
RUN echo 'Acquire::Check-Valid-Until "false";' >/etc/apt/apt.conf.d/99stand-in \
  && printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d

# Debian's own Node does not run TypeScript.
FROM debian AS node
COPY node/bin/node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm
COPY ca-certificates.crt /etc/ssl/certs/
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
  && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
  && groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node
CMD ["node"]

FROM debian AS redis
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
# The official one has no protected mode either, as all connections come from outside of it.
RUN mkdir -p /data && chown redis:redis /data \
  && printf '#!/bin/sh\nexec /usr/bin/redis-server "$@" --protected-mode no\n' >/usr/local/bin/redis-server \
  && chmod +x /usr/local/bin/redis-server
WORKDIR /data
USER redis
CMD ["redis-server"]

FROM debian AS nginx
RUN apt-get update && apt-get install -y --no-install-recommends nginx && rm -rf /var/lib/apt/lists/*
CMD ["nginx", "-g", "daemon off;"]

FROM debian AS prometheus
RUN apt-get update && apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /prometheus && chown 65534:65534 /prometheus
USER 65534
ENTRYPOINT ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]

FROM debian AS alertmanager
RUN apt-get update && apt-get install -y --no-install-recommends prometheus-alertmanager && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /alertmanager && chown 65534:65534 /alertmanager
USER 65534
ENTRYPOINT ["prometheus-alertmanager", "--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]

FROM debian AS redis-exporter
RUN apt-get update && apt-get install -y --no-install-recommends prometheus-redis-exporter && rm -rf /var/lib/apt/lists/*
USER 65534
ENTRYPOINT ["prometheus-redis-exporter"]
