#!/bin/sh
# Makes the certificates of the tests: a root, and a server's that it vouches for, for a hundred years.
# Nobody trusts them, and the key is known to everybody. The key of the root is thrown away.
set -eu
cd "$(dirname "$0")"
root_key=$(mktemp)
request=$(mktemp)
names=$(mktemp)
trap 'rm -f "$root_key" "$request" "$names"' EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$root_key" \
    -days 36500 -subj "/CN=root of the tests of whocalls" -out root.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
    -subj "/CN=registry.example" -out "$request"
echo "subjectAltName=DNS:registry.example,IP:127.0.0.1
basicConstraints=CA:FALSE" >"$names"
openssl x509 -req -in "$request" -CA root.pem -CAkey "$root_key" -CAcreateserial \
    -days 36500 -extfile "$names" -out server.pem
rm -f root.srl
