# The image holds one static binary and the roots of trust. Time zones are in the
# binary. Build arguments name the version, as the build context has no .git.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=development
ARG COMMIT=
ARG DATE=
RUN make build VERSION="$VERSION" COMMIT="$COMMIT" DATE="$DATE"
RUN mkdir /empty

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/monitor /monitor
COPY --from=build --chown=65532:65532 /empty /data
# SQLite spills large sorts here; scratch has no /tmp of its own.
COPY --from=build --chown=65532:65532 /empty /tmp
USER 65532:65532
ENV MONITOR_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
# Processes without web and api answer on :9090: override it there.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
	CMD ["/monitor", "check", "http://127.0.0.1:8080/healthz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/monitor"]
CMD ["serve"]
