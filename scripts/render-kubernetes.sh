#!/bin/sh
# Renders infra/k8s/ from the chart, a file for each set of values in infra/helm/leque/ci.
#   scripts/render-kubernetes.sh [FOLDER]    into another folder
# Takes Helm 3, on the PATH or where `go install helm.sh/helm/v3/cmd/helm@latest` puts it.
set -eu
cd "$(dirname "$0")/.."
PATH="$PATH:$(go env GOPATH 2>/dev/null || echo "$HOME/go")/bin:$HOME/go/bin"
command -v helm >/dev/null || { echo 'There is no helm on the PATH.' >&2; exit 127; }

out=${1:-infra/k8s}
chart=infra/helm/leque
cp infra/redis/redis.conf infra/prometheus/*.rules.yml "$chart/files"
for values in "$chart"/ci/*-values.yaml; do
  name=$(basename "$values" -values.yaml)
  {
    echo "# Rendered from $chart with ci/$name-values.yaml, by scripts/render-kubernetes.sh."
    helm template leque "$chart" --namespace leque --kube-version 1.34.0 --skip-tests --values "$values"
  } >"$out/$name.yaml"
done
