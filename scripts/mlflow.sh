#!/bin/sh
# Installs MLflow from PyPI, unless it is there, and prints the Python that has it. Prints nothing, and says so, where PyPI cannot be reached.
#
# Usage: scripts/mlflow.sh
set -eu

# A first run may take so long, in seconds.
PATIENCE=180

root=$(cd "$(dirname "$0")/.." && pwd)
requirements=$root/examples/mlflow/requirements.txt
venv=${CARGO_TARGET_DIR:-$root/target}/mlflow-venv
stamp=$venv/installed

if cmp -s "$requirements" "$stamp"; then
    printf '%s\n' "$venv/bin/python"
    exit
fi

rm -rf "$venv"
python3 -m venv "$venv"
pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"
}

# Any small package: all there is to know is whether one can be had.
if ! pip --timeout 10 --retries 1 download --no-deps --dest "$venv/reached" zipp >&2; then
    printf 'rowcast: MLflow is not tested: PyPI cannot be reached\n' >&2
    exit
fi
printf 'rowcast: installing MLflow\n' >&2
timeout "$PATIENCE" "$venv/bin/python" -m pip --disable-pip-version-check --quiet \
    install --no-deps --require-hashes --requirement "$requirements" >&2 || {
    printf 'rowcast: MLflow could not be installed within %s s\n' "$PATIENCE" >&2
    exit 1
}
cp "$requirements" "$stamp"
printf '%s\n' "$venv/bin/python"
