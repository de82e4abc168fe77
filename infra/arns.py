"""`Arns`: the address of everything in an environment, made of its names. No CDK here: parts may be tokens of it."""

from __future__ import annotations

from dataclasses import dataclass

from stepweave.deployed import names


@dataclass(frozen=True, slots=True, kw_only=True)
class Arns:
    """Addresses in one environment."""

    env: str
    partition: str = "aws"
    region: str
    account: str

    def machine(self, dag: str, machine: str = "") -> str:
        """A state machine. Also what IAM asks about when a version or an alias of it is started
        (https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html).
        """
        return self._of("states", f"stateMachine:{names.machine_name(self.env, dag, machine)}")

    def live_machine(self, dag: str) -> str:
        """The alias through which runs of a DAG are started."""
        return f"{self.machine(dag)}:{names.LIVE}"

    def executions(self, dag: str, machine: str = "") -> str:
        """All executions of a state machine."""
        return self._of("states", f"execution:{names.machine_name(self.env, dag, machine)}:*")

    def map_executions(self, dag: str, machine: str = "") -> str:
        """All executions that the distributed maps of a state machine start: ``<machine>/<label>:<id>``."""
        return self._of("states", f"execution:{names.machine_name(self.env, dag, machine)}/*")

    def function(self, part: str, dag: str = "") -> str:
        """The alias of a function of the platform, or of a DAG."""
        return self._of("lambda", f"function:{names.function_name(self.env, part, dag)}:{names.LIVE}")

    def runners(self, dag: str) -> str:
        """All versions of all task runners of a DAG."""
        return self._of("lambda", f"function:{names.runner_names(self.env, dag)}:*")

    def job_definitions(self, dag: str) -> str:
        """All revisions of all job definitions of a DAG."""
        return self._of("batch", f"job-definition/{names.job_definition_names(self.env, dag)}:*")

    def queue(self, kind: str) -> str:
        """A job queue."""
        return self._of("batch", f"job-queue/{names.queue_name(self.env, kind)}")

    def jobs(self) -> str:
        """All jobs: their ids say nothing about who submitted them."""
        return self._of("batch", "job/*")

    def managed_rule(self, name: str) -> str:
        """A rule that Step Functions manages in the account."""
        return self._of("events", f"rule/{name}")

    def rule(self, dag: str, number: int) -> str:
        """The rule behind a trigger of a DAG."""
        return self._of("events", f"rule/{names.rule_name(self.env, dag, number)}")

    def rules(self) -> str:
        """All rules of the environment."""
        return self._of("events", f"rule/{names.PRODUCT}-{self.env}-*")

    def schedule_group(self) -> str:
        """The group of the schedules, on whose behalf the scheduler takes their roles
        (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html).
        """
        return self._of("scheduler", "schedule-group/default")

    def dead_letters(self) -> str:
        """The queue of what could not be delivered."""
        return self._of("sqs", names.dead_letter_queue_name(self.env))

    def table(self) -> str:
        """The records table."""
        return self._of("dynamodb", f"table/{names.table_name(self.env)}")

    def bus(self) -> str:
        """The event bus."""
        return self._of("events", f"event-bus/{names.bus_name(self.env)}")

    def topic(self, kind: str) -> str:
        """A topic: ``warn``, ``page`` or ``ask``."""
        return self._of("sns", names.topic_name(self.env, kind))

    def log_group(self, name: str) -> str:
        """The streams of a log group."""
        return self._of("logs", f"log-group:{name}:*")

    def bucket_name(self) -> str:
        """Name of the artifact bucket."""
        return names.bucket_name(self.env, self.account, self.region)

    def bucket(self, name: str = "") -> str:
        """A bucket; without a name the artifact bucket."""
        return f"arn:{self.partition}:s3:::{name or self.bucket_name()}"

    def _of(self, service: str, rest: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"
