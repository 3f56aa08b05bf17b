# An OpenLDAP for trying the gateway out, with its schema, ppolicy, and a service account
# that may do what the gateway needs and no more. Build it from the top of the source tree:
#
#   docker build -f deploy/openldap.Dockerfile -t scimgate-openldap .

FROM debian:bookworm-slim
RUN echo 'slapd slapd/no_configuration boolean true' | debconf-set-selections \
	&& apt-get update \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slapd ldap-utils openssl \
	&& rm -rf /var/lib/apt/lists/*
COPY deploy/schema/scimgate.schema deploy/schema/groupofmembers.schema /etc/ldap/schema/
COPY deploy/openldap-entrypoint /usr/local/bin/openldap-entrypoint
# The data, and the certificate for whoever connects.
VOLUME /var/lib/ldap /var/lib/ldap-tls
EXPOSE 389 636
HEALTHCHECK --interval=2s --timeout=3s --start-period=30s --retries=5 \
	CMD ["ldapsearch", "-x", "-LLL", "-o", "nettimeout=2", "-H", "ldap://127.0.0.1", "-s", "base", "-b", "", "1.1"]
ENTRYPOINT ["openldap-entrypoint"]
