# The gateway. Build it from the top of the source tree:
#
#   docker build -f deploy/gateway.Dockerfile -t scimgate .

FROM golang:1.26-bookworm AS build
# For a build behind a module proxy; without a value they are not set at all.
ARG GOPROXY
ARG GOFLAGS
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/scimgate ./cmd/scimgate

# Debian and not an empty image: its shell does the health check.
FROM debian:bookworm-slim
# The public authorities, for ldaps:// and OpenID issuers with ordinary certificates.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/scimgate /usr/local/bin/scimgate
# stateDir. A named volume mounted here takes over the owner.
RUN install -d -o 65532 -g 65532 -m 0700 /var/lib/scimgate
USER 65532:65532
WORKDIR /var/lib/scimgate
VOLUME /var/lib/scimgate
EXPOSE 8080
# The admin listener is on the container's own loopback.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
	CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["scimgate"]
CMD ["serve", "--config", "/etc/scimgate/scimgate.yaml"]
