"""A Slurm of one node with fake GPUs, without systemd, munge or anything of the machine's own Slurm.

Everything is in one folder: configuration, state, logs, and the GPUs, which are device files that mean /dev/null.
Controller and node are children of this process, on ports of their own. When it ends, and be it by SIGKILL, a guard ends
all that was started with the cluster's environment.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

SRUN = ["srun", "--mpi=none", "--gres=gpu:1", "--unbuffered", "--kill-on-bad-exit", "--quiet"]
PROGRAMS = ["slurmctld", "slurmd", "srun", "scancel", "squeue", "sinfo", "scontrol"]

# What is not the default is what works without munge, cgroups and systemd. CPUs are promised, not counted, so that the
# node is the same on every machine.
CONFIGURATION = """
ClusterName=kevolve-test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmUser=root
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MailProg=/bin/true
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 Gres=gpu:{gpus}
PartitionName=main Nodes={host} Default=YES State=UP
"""


def why_not():
    """Why no cluster can be started here; an empty text when one can."""
    missing = [name for name in PROGRAMS if find(name) is None]
    if missing:
        return f"Slurm is missing ({', '.join(missing)}); scripts/setup.sh --test installs it"
    if os.geteuid() != 0:
        return "not root, which slurmd needs to be"
    with tempfile.TemporaryDirectory() as folder:
        try:
            make_gpu(pathlib.Path(folder) / "gpu")
        except OSError as error:
            return f"device files cannot be made here: {error}"
    return ""


def make_gpu(path):
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def end_in_order_by_signals():
    """SIGTERM, as of a test that takes too long, ends this program by an exception, so that it cleans up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """with Cluster(folder, gpus=2) as cluster: subprocess.run(SRUN + [...], env=cluster.environment)"""

    def __init__(self, folder, gpus):
        self.folder, self.gpus = pathlib.Path(folder), gpus
        self.host = socket.gethostname().split(".")[0]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SBATCH", "SRUN", "SALLOC"))}
        self.environment = {**clean, "SLURM_CONF": str(self.folder / "slurm.conf")}
        self.daemons, self.guard, self.alive = [], None, None
        self.seconds_to_start = None

    def __enter__(self):
        try:
            self.configure()
            self.set_guard()
            began = time.monotonic()
            self.daemons = [self.start("slurmctld", "-D", "-c"), self.start("slurmd", "-D")]
            self.wait_until_idle()
            self.seconds_to_start = time.monotonic() - began
            return self
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def configure(self):
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        for number in range(self.gpus):
            make_gpu(self.folder / f"gpu{number}")
        controller_port, node_port = free_ports(2)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=self.host, controller_port=controller_port, node_port=node_port, folder=self.folder, gpus=self.gpus))
        (self.folder / "gres.conf").write_text(
            f"NodeName={self.host} Name=gpu File={self.folder}/gpu[0-{self.gpus - 1}]\n")

    def set_guard(self):
        """A process that waits for the end of this one, or of stop(): then nobody has the pipe open."""
        watched, self.alive = os.pipe()
        self.guard = os.fork()
        if self.guard == 0:
            os.setsid()
            os.close(self.alive)
            os.read(watched, 1)
            while left := self.left():
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            os._exit(0)
        os.close(watched)

    def start(self, program, *arguments):
        with open(self.folder / f"{program}.log", "w") as log:
            return subprocess.Popen([find(program), *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log)

    def wait_until_idle(self, seconds=60):
        until = time.monotonic() + seconds
        while "idle" not in self.ask("sinfo", "--noheader", "--format=%t", check=False):
            ended = [one.args[0] for one in self.daemons if one.poll() is not None]
            if ended or time.monotonic() > until:
                raise RuntimeError(f"{ended[0]} ended" if ended else f"the node is not idle after {seconds} s")
            time.sleep(0.05)

    def ask(self, *command, check=True):
        return subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, check=check, timeout=60).stdout

    def jobs(self):
        """{job's number: the numbers of its GPUs} of those that run."""
        found = {}
        for number in self.ask("squeue", "--noheader", "--states=R", "--format=%A").split():
            details = self.ask("scontrol", "show", "job", "--details", number, check=False)
            found[int(number)] = [word.split("IDX:")[1].rstrip(")") for word in details.split() if "IDX:" in word]
        return found

    def wait_until_empty(self, seconds):
        until = time.monotonic() + seconds
        while (queue := self.ask("squeue", "--noheader", "--format=%A %T")) and time.monotonic() < until:
            time.sleep(0.1)
        return queue.split("\n")[:-1]

    def log(self, program, lines=20):
        return "".join((self.folder / f"{program}.log").read_text().splitlines(keepends=True)[-lines:])

    def stop(self):
        """Ends what Slurm runs, then Slurm; the guard ends what is left."""
        if self.daemons and all(one.poll() is None for one in self.daemons):
            self.ask("scancel", "--user=root", "--signal=KILL", check=False)
            self.ask("scancel", "--user=root", check=False)
        for one in reversed(self.daemons):
            one.terminate()
        for one in reversed(self.daemons):
            try:
                one.wait(timeout=10)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        if self.guard:
            os.close(self.alive)
            os.waitpid(self.guard, 0)

    def left(self):
        """Processes that were started for this cluster and are still there, found by their environment."""
        mark, found = f"SLURM_CONF={self.folder}/slurm.conf".encode(), []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and int(entry) != os.getpid() and mark in pathlib.Path(
                        f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                    found.append(int(entry))
            except OSError:
                pass
        return found
