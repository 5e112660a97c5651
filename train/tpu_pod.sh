#!/usr/bin/env bash
# Trains on all hosts of a TPU slice, which have vfi-jax[train,tpu] installed:
#   ZONE=us-east5-a train/tpu_pod.sh TPU_NAME SYSTEM --workdir gs://BUCKET/run [OPTIONS]
set -euo pipefail

tpu=$1
shift
printf -v words ' %q' "$@"
# JAX reads the hosts of the slice from the TPU's metadata.
exec gcloud compute tpus tpu-vm ssh "$tpu" --zone "$ZONE" --worker=all \
  --command "vfi-jax train$words --coordinator auto"
