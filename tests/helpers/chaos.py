"""One run of the synchronisation through a history drawn from a seed, and what must hold of it.

Real clients and tables, the simulated Azure in process, and a clock that jumps from one due job to the
next. While the history lasts anything may go wrong; when it is over, all must become as wanted.
"""

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random

from local.azure.app import SimulatedAzure
from shared.jobs.message import encode
from shared.jobs.poison import MAX_DEQUEUE_COUNT
from shared.jobs.runner import JobRunner
from shared.model.integration import Integration
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.model.upkeep import Coverage
from shared.portal.commands import Commands
from shared.services import Services
from shared.sync.context import Context
from tests.helpers.chaos_app import SWEEP, context_of
from tests.helpers.chaos_deletions import Deletions
from tests.helpers.chaos_estate import Estate, Tenant, draw_estate
from tests.helpers.chaos_events import Events
from tests.helpers.chaos_queue import ChaosQueue
from tests.helpers.chaos_tables import MemoryStorage
from tests.helpers.chaos_truth import Truth
from tests.helpers.chaos_wanted import foreign
from tests.helpers.chaos_worker import Account, TakingTurns, Turnstile, Worker, WorkerDiedError, empty_storage
from tests.helpers.facts import an_integration

STEPS = tuple(Step)
_AT_ONCE = 4
_DEATHS = 0.15
_MOST_CALLS_BEFORE = 25
_LEAST_CYCLES, _DRAINED_CYCLES, _MOST_CYCLES = 3, 10, 14
_MOST_DELIVERIES = 5_000
"""Of jobs in one cycle; many times what any history needs."""
_MALFORMED = (
    b"",
    b"hello",
    b"\xff\xfe",
    b'{"version":9}',
    b'{"version":1,"kind":"x:y","cycle":"","reason":"log"}',
)
_NONSENSE = ("", "nonsense", "a..b", "westeurope/none", "/subscriptions/x", "/", "\U0001f511")


@dataclass
class Run:
    """One run.

    Attributes:
        seed: everything comes from it.
        history: what was done, one line each.
        wrong: what does not hold; empty after a good run.
    """

    seed: int
    random: Random
    estate: Estate
    azure: SimulatedAzure
    turnstile: Turnstile
    queue: ChaosQueue
    context: Context
    runner: JobRunner
    events: Events
    deletions: Deletions
    integrations: list[Integration] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failures: Counter[Job] = field(default_factory=Counter)
    malformed: list[tuple[str, bytes]] = field(default_factory=list)
    deadly: bool = True

    async def play(self) -> None:
        """Live through the whole history, and look at what comes of it."""
        for tenant in self.estate.tenants:
            self.integrations.append(await self._registered(tenant))
        theirs = foreign(self.estate.world)
        if self.random.random() < 0.6:
            await self._cycle(STEPS, SWEEP / 10)
        for _ in range(self.random.choice((5, 5, 6, 8, 10, 20))):
            before = foreign(self.estate.world)
            self._tell(self.events.draw())
            theirs |= {key: each for key, each in foreign(self.estate.world).items() if key not in before}
            self.queue.disorder = self.random.choice((0.0, 0.1, 0.4))
            await self._some_time()
            await self._look(theirs)
            if self.wrong:
                return
        await self._end()
        await self._look(theirs)

    async def _some_time(self) -> None:
        clock = self.azure.world.clock
        if self.random.random() < 0.15:
            seconds = self.random.choice((900, SWEEP, 6 * SWEEP))
            self._tell(f"the clock jumps {seconds} s")
            clock.move(seconds)
        if self.random.random() < 0.2:
            await self._ask()
        if self.random.random() < 0.1:
            await self._stray()
        if self.random.random() < 0.03:
            await self._leave()
        steps = self.random.sample(STEPS, self.random.choice((1, 1, 2, 3)))
        await self._cycle(steps, self.random.choice((1, 30, 120, 600)))

    async def _ask(self) -> None:
        """Somebody or the log asks for one object."""
        integration = self.random.choice(self.integrations)
        tenant = self.estate.tenants[self.integrations.index(integration)]
        target = self.random.choice(tenant.subscriptions)
        options = [
            (Step.SUBSCRIPTION_SETTINGS, target),
            (Step.ALERT_EXPORTS, target),
            (Step.RESOURCE_SETTINGS, target),
        ]
        resources = sorted(each.resource_id for each in self.azure.world.resources_of(target))
        if resources:
            options.append((Step.RESOURCES, self.random.choice(resources)))
        if tenant.workspace_id:
            options.append((Step.WORKSPACE_EXPORTS, tenant.workspace_id.lower()))
        step, named = self.random.choice(options)
        cause = self.random.choice((Cause.LOG, Cause.OPERATOR))
        self._tell(f"asked for by {cause}: {step} {named}")
        stamp = cycle_stamp(self.azure.world.clock.now())
        await self.context.send_once(Job(step, Phase.TARGET, stamp, cause, integration.id, named))

    async def _stray(self) -> None:
        """A message that nobody can read, or a job that makes no sense."""
        step = self.random.choice(STEPS)
        if self.random.random() < 0.5:
            text = self.random.choice(_MALFORMED)
            self._tell(f"malformed message: {step} {text!r}")
            self.malformed.append((step.queue, text))
            ended = await self.turnstile.run(Worker(), [self.runner.run(step.queue, text)])
            assert ended == [None]
            return
        tenant = self.random.choice(self.estate.tenants)
        integration = self.random.choice(
            ("", self.azure.world.guid(), *(each.id for each in self.integrations))
        )
        target = self.random.choice((*_NONSENSE, self.random.choice(tenant.subscriptions)))
        cause = self.random.choice(tuple(Cause))
        stamp = cycle_stamp(self.azure.world.clock.now())
        self._tell(f"stray job: {step} {integration} {target!r} {cause}")
        self.queue.put(Job(step, Phase.TARGET, stamp, cause, integration, target), 0)

    async def _leave(self) -> None:
        """The provider offboards a customer."""
        integration = self.random.choice(self.integrations)
        tenant = self.estate.tenants[self.integrations.index(integration)]
        self._tell(f"offboarding: {tenant.customer}")
        self.deletions.leaving |= set(tenant.subscriptions)
        context = self.context
        commands = Commands(
            integrations=context.integrations,
            claims=context.claims,
            problems=context.problems,
            jobs=context,
            clock=context.clock,
        )
        assert (await commands.offboard(integration.id)).status == HTTPStatus.ACCEPTED

    async def _end(self) -> None:
        """Everything calms down; then there is a bounded number of cycles to become as wanted."""
        self._tell("all faults end")
        self.azure.faults.switch_off()
        self.queue.disorder = 0.0
        self.deadly = False
        truth = Truth(self.estate, self.context)
        wrong: list[str] = []
        least = self.random.choice((*[_LEAST_CYCLES] * 6, _DRAINED_CYCLES))
        for number in range(_MOST_CYCLES):
            await self._cycle(STEPS, SWEEP)
            if number + 1 >= least:
                malformed = {queue for queue, _ in self.malformed}
                wrong = await truth.wrong(self.integrations, malformed, drained=least == _DRAINED_CYCLES)
                if not wrong:
                    return
        self.wrong += wrong

    async def _cycle(self, steps: list[Step] | tuple[Step, ...], seconds: float) -> None:
        clock = self.azure.world.clock
        until = clock.seconds() + seconds
        clock.move(0.01)
        for step in steps:
            await self.context.start(step, Cause.CYCLE)
        self._tell(f"{', '.join(steps)}, then {seconds:.0f} s")
        deliveries = 0
        while (due := self.queue.due_at()) is not None and due <= until:
            clock.move(max(due - clock.seconds(), 0.0))
            await self._work(self.queue.take(_AT_ONCE))
            deliveries += 1
            assert deliveries < _MOST_DELIVERIES, f"jobs multiply: {self.history[-5:]}"
        clock.move(max(until - clock.seconds(), 0.0))

    async def _work(self, jobs: list[Job]) -> None:
        worker = Worker()
        if self.deadly and self.random.random() < _DEATHS:
            worker = Worker(self.random.randrange(_MOST_CALLS_BEFORE), self.random.random() < 0.5)
        ends = await self.turnstile.run(
            worker, [self.runner.run(job.step.queue, encode(job).encode()) for job in jobs]
        )
        for job, end in zip(jobs, ends, strict=True):
            if end is not None:
                self._come_again(job, end, worker)

    def _come_again(self, job: Job, end: BaseException, worker: Worker) -> None:
        """As the Functions host does with a message whose function failed, or whose worker is no more."""
        self._tell(f"{type(end).__name__} after {worker.calls} calls: {job.step}:{job.phase} {job.target}")
        if not isinstance(end, WorkerDiedError):
            self.failures[job] += 1
            if self.failures[job] >= MAX_DEQUEUE_COUNT:
                raise end
        self.queue.put(job, self.random.choice((0, 30, 600)))

    async def _look(self, theirs: dict[str, object]) -> None:
        """What must hold at every moment."""
        if foreign(self.estate.world) != theirs:
            self.wrong.append("what others made has changed")
        self.wrong += self.deletions.wrong
        if self.azure.counts.by_kind["unknown"]:
            self.wrong.append("calls that the simulated Azure does not know")
        if self.queue.aside != self.malformed:
            self.wrong.append(f"set aside: {self.queue.aside}, malformed: {self.malformed}")
        for integration in self.integrations:
            gone = [
                row.fact.subscription_id
                for row in await self.context.subscriptions.list(integration.id)
                if row.fact.upkeep.coverage is Coverage.GONE
            ]
            gone += [
                row.fact.listed.id.lower()
                for row in await self.context.resources.list(integration.id)
                if row.fact.upkeep.coverage is Coverage.GONE
            ]
            self.wrong += [f"{key} is gone" for key in gone if key not in self.events.once_hidden]

    async def _registered(self, tenant: Tenant) -> Integration:
        integration = an_integration(
            id=self.azure.world.guid(),
            customer=tenant.customer,
            tenant_id=tenant.tenant_id,
            home_region=tenant.home_region,
            subscription_cap=tenant.cap,
            workspace_resource_id=tenant.workspace_id or None,
            created_at=self.azure.world.clock.now(),
        )
        await self.context.integrations.register(integration)
        return integration

    def _tell(self, line: str) -> None:
        self.history.append(f"{self.azure.world.clock.now():%d %H:%M:%S} {line}")


async def run(seed: int, account: Account | None = None) -> Run:
    """Play the history of a seed, in memory or on a storage account that nobody else uses."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    estate = draw_estate(random)
    azure = SimulatedAzure(estate.world)
    turnstile = Turnstile(random)
    async with AsyncExitStack() as stack:
        storage = (
            await stack.enter_async_context(MemoryStorage(turnstile))
            if account is None
            else await stack.enter_async_context(empty_storage(account, turnstile))
        )
        queue = ChaosQueue(estate.world.clock, random, turnstile)
        deletions = Deletions(azure)
        context = context_of(azure, storage, queue, TakingTurns(deletions, turnstile))
        runner, events = Services._runner(context), Events(estate, azure, random)
        played = Run(seed, random, estate, azure, turnstile, queue, context, runner, events, deletions)
        await played.play()
    return played
