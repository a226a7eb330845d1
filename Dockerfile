# The image holds one static binary and the roots of trust. Time zones are in the
# binary. Build arguments name the version, as the build context has no .git.
# The build runs on the builder's own platform and crosses to the image's.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=development
ARG COMMIT=
ARG DATE=
ARG TARGETOS
ARG TARGETARCH
ARG TARGETVARIANT
RUN GOOS="$TARGETOS" GOARCH="$TARGETARCH" GOARM="${TARGETVARIANT#v}" \
	make build VERSION="$VERSION" COMMIT="$COMMIT" DATE="$DATE"
RUN mkdir /empty

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/monitor /monitor
COPY --from=build --chown=65532:65532 /empty /data
# SQLite spills large sorts here; scratch has no /tmp of its own.
COPY --from=build --chown=65532:65532 /empty /tmp
USER 65532:65532
# Health and metrics stand on one port whatever the roles, and never on the one
# that is published: /metrics names every monitor.
ENV MONITOR_DATA_DIR=/data MONITOR_HTTP_ADMIN_ADDR=:9090
VOLUME /data
EXPOSE 8080 9090
# The process lives; whether it is ready, /readyz tells those who route to it. The
# flag lets the check reach loopback where network.allow_private is off.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --start-interval=2s --retries=3 \
	CMD ["/monitor", "check", "--network.allow=127.0.0.1", "http://127.0.0.1:9090/healthz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/monitor"]
CMD ["serve"]
