#!/usr/bin/env bash
# Trains on the nodes of a SLURM cluster, one process for each GPU:
#   sbatch --nodes=2 train/slurm.sh SYSTEM --workdir FOLDER [OPTIONS]
# FOLDER is shared by the nodes, or lies in an object store. A requeued job continues.
#SBATCH --job-name=vfi-jax
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

resume=()
if [[ ${SLURM_RESTART_COUNT:-0} -gt 0 ]]; then resume=(--resume); fi
# JAX reads the coordinator, the number of processes and each one's GPU from SLURM's variables.
exec srun vfi-jax train "$@" --coordinator auto "${resume[@]}"
