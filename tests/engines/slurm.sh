# SPDX-License-Identifier: GPL-2.0-or-later
# A Slurm of two nodes on this machine, for a test: to be sourced.
#
#     slurm_start DIR      munged, slurmctld, and slurmd of n1 and n2; 1 if not
#     slurm_kill_node N    the node and what runs on it are gone at once
#     slurm_start_node N
#     slurm_wait           until no job is left, at most five minutes
#     slurm_stop
#
# All state is in DIR; needs root, as slurmd does.
# shellcheck shell=bash

# shellcheck disable=SC2034
slurm_programs=(munged slurmctld slurmd sbatch squeue scontrol)

slurm_configure() {
	local host
	host=$(hostname -s)
	mkdir -p "$slurm/state" "$slurm/n1" "$slurm/n2"
	dd if=/dev/urandom of="$slurm/munge.key" bs=32 count=1 2>/dev/null
	chmod 400 "$slurm/munge.key"
	cat >"$slurm/slurm.conf" <<-CONF
		ClusterName=buddylab
		SlurmctldHost=$host(127.0.0.1)
		SlurmctldPort=$((slurm_port))
		SlurmUser=root
		SlurmdUser=root
		AuthType=auth/munge
		AuthInfo=socket=$slurm/munge.socket
		CredType=cred/munge
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		AccountingStorageType=accounting_storage/none
		JobAcctGatherType=jobacct_gather/none
		MpiDefault=none
		SwitchType=switch/none
		ReturnToService=2
		SlurmdTimeout=10
		KillWait=1
		StateSaveLocation=$slurm/state
		SlurmdSpoolDir=$slurm/%n
		SlurmctldPidFile=$slurm/ctld.pid
		SlurmdPidFile=$slurm/%n.pid
		SlurmctldLogFile=$slurm/ctld.log
		SlurmdLogFile=$slurm/%n.log
		SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=100000
		NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 CPUs=1 Port=$((slurm_port + 1))
		NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 CPUs=1 Port=$((slurm_port + 2))
		PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
	CONF
}

slurm_start_node() {
	slurmd -N "$1" -f "$slurm/slurm.conf" -D >>"$slurm/$1.out" 2>&1 &
	slurm_pids+=($!)
	echo $! >"$slurm/$1.ours"
}

# The steps of a node are of its process group's making: slurmstepd has the
# node's name among its arguments or children; all below slurmd go.
slurm_kill_node() {
	local pid
	pid=$(cat "$slurm/$1.ours")
	kill -KILL "$pid" 2>/dev/null
	pkill -KILL -f "slurmstepd: \[.*\]" 2>/dev/null
	return 0
}

slurm_start() {
	slurm=$1
	slurm_port=$((20000 + RANDOM % 20000))
	slurm_pids=()
	export SLURM_CONF=$slurm/slurm.conf
	mkdir -p "$slurm"
	slurm_configure
	munged --foreground --force --socket="$slurm/munge.socket" \
		--key-file="$slurm/munge.key" --pid-file="$slurm/munge.pid" \
		--log-file="$slurm/munge.log" --seed-file="$slurm/munge.seed" \
		>"$slurm/munge.out" 2>&1 &
	slurm_pids+=($!)
	for _ in $(seq 100); do
		[[ -S $slurm/munge.socket ]] && break
		sleep 0.1
	done
	slurmctld -D -f "$slurm/slurm.conf" >"$slurm/ctld.out" 2>&1 &
	slurm_pids+=($!)
	slurm_start_node n1
	slurm_start_node n2
	for _ in $(seq 300); do
		[[ $(sinfo -h -o '%t %D' 2>/dev/null) == 'idle 2' ]] && return 0
		sleep 0.2
	done
	return 1
}

slurm_wait() {
	for _ in $(seq 600); do
		[[ -z $(squeue -h 2>/dev/null) ]] && return 0
		sleep 0.5
	done
	return 1
}

slurm_stop() {
	[[ -z ${slurm-} ]] && return
	kill -KILL "${slurm_pids[@]}" 2>/dev/null
	wait "${slurm_pids[@]}" 2>/dev/null
}
