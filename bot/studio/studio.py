"""The studio: one object with a service for each capability."""

from dataclasses import replace
from typing import assert_never

from bot.inference.engine import Engine, Stats
from bot.settings import PrivacySettings
from bot.studio.animations import AnimationService
from bot.studio.avatars import AvatarService
from bot.studio.browser_models import BrowserModels
from bot.studio.community.guessing import Puzzle
from bot.studio.community.service import CommunityService
from bot.studio.converting import Converter
from bot.studio.enlarging import EnlargingService
from bot.studio.exports import ExportService
from bot.studio.family import FamilyService
from bot.studio.finding import FindService, Sheet, read_path
from bot.studio.gallery import GalleryService
from bot.studio.links import LinkService
from bot.studio.members import MemberService
from bot.studio.models import ModelCatalog
from bot.studio.morph_file import Morph
from bot.studio.named_faces import NamedFaceService
from bot.studio.painter import Painter
from bot.studio.painting import PaintingService
from bot.studio.processes import ProcessService
from bot.studio.quotas import QuotaService
from bot.studio.readiness import ReadinessCheck
from bot.studio.recipes import RecipeService
from bot.studio.reports import ReportService
from bot.studio.request import Request
from bot.studio.retention import RetentionService
from bot.studio.shaping import ShapingService
from bot.studio.welcome import WelcomeService
from db.records import Avatar
from db.store import Store
from db.tasks import (
    AdoptTask,
    AgainTask,
    CreateTask,
    FindTask,
    GuessTask,
    MixTask,
    MorphTask,
    PortraitTask,
    RecolorTask,
    RepaintTask,
    ShapeTask,
    Task,
    VariationsTask,
)
from export.manifest import Attribute


class Studio:
    """Requests that cannot be granted raise `bot.errors.Refusal`s. Sizes are in pixels."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        privacy: PrivacySettings | None = None,
        page_url: str = "",
    ) -> None:
        """`page_url` is the public URL of the web page, empty if there is none."""
        self._engine = engine
        self.privacy = privacy or PrivacySettings()
        self.page_url = page_url.rstrip("/")
        painter = Painter(engine, store.avatars)
        self.recipes = RecipeService(engine, painter, store.avatars)
        self.converter = Converter()
        self.avatars = AvatarService(store, self.recipes, self.converter)
        self.enlarging = EnlargingService(engine, self.avatars)
        self.painting = PaintingService(engine, painter, self.avatars, store.avatars)
        self.family = FamilyService(engine, painter, self.avatars)
        self.shaping = ShapingService(engine, painter, self.avatars)
        self.animations = AnimationService(engine, self.avatars, store.usage)
        self.welcome = WelcomeService(engine)
        self.finding = FindService(engine, painter, store.usage)
        self.named_faces = NamedFaceService(engine)
        self.gallery = GalleryService(engine, store.galleries, store.guilds)
        self.community = CommunityService(engine, store, self.gallery)
        self.members = MemberService(engine, store.members, store.links, store.retention)
        self.links = LinkService(store.links)
        self.reports = ReportService(self.avatars, store.reports)
        self.retention = RetentionService(self.privacy, store)
        self.exports = ExportService(store)
        self.quotas = QuotaService(store.guilds, store.usage)
        self.processes = ProcessService(store, painter)
        self.models = ModelCatalog(engine)
        self.browser_models = BrowserModels(engine)
        self.guilds = store.guilds  # limits are saved by `quotas`, which checks them
        self.pending_replies = store.pending_replies
        self.notes = store.notes
        self.statistics = store.statistics
        self._readiness = ReadinessCheck(engine, store)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes of the model in use."""
        return self._engine.model.manifest.attributes

    @property
    def model_name(self) -> str:
        return self._engine.model.name

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that the model in use paints, in pixels, the smallest first."""
        return self._engine.model.sizes

    @property
    def engine_stats(self) -> Stats:
        return self._engine.stats

    async def check_ready(self) -> str | None:
        """Why pictures cannot be painted and stored, in English; None if they can. The result is
        cached for some seconds.
        """
        return await self._readiness.problem()

    async def run(self, task: Task, request: Request) -> list[Avatar] | Morph | Sheet | Puzzle:
        """Runs the task of a pending reply. Raises the errors of the task's service."""
        if isinstance(task, MorphTask):
            return await self.animations.morph(
                task.ids,
                request,
                format=task.format,
                size=task.size,
                limit_bytes=task.limit_bytes,
            )
        if isinstance(task, FindTask):
            search = await self.finding.open(task.wish, task.seed)
            return await self.finding.paint(search, request)
        if isinstance(task, GuessTask):
            return await self.community.guessing.pose(request, task.seed)
        request = replace(request, private=task.private)
        match task:
            case CreateTask():
                return await self.painting.create(
                    task.wish,
                    request,
                    count=task.count,
                    seed=task.seed,
                    size=task.size,
                    prompt=task.prompt,
                )
            case AgainTask():
                return await self.painting.again(task.id, request, seed=task.seed)
            case RecolorTask():
                return await self.family.recolor(task.id, task.wish, request)
            case ShapeTask():
                return await self.shaping.shape(task.id, task.shape, request)
            case VariationsTask():
                return await self.family.variations(task.id, request, seed=task.seed)
            case MixTask():
                return await self.family.mix(
                    task.a, task.b, request, seed=task.seed, size=task.size
                )
            case PortraitTask():
                return await self.painting.portrait(task.member, request, size=task.size)
            case AdoptTask():
                before, number = read_path(task.choices)
                search = await self.finding.open(
                    task.wish, task.seed, choices=before, model=task.model
                )
                return await self.finding.adopt(search, number, request, size=task.size)
            case RepaintTask():
                return [(await self.recipes.repaint(task.file, request)).avatar]
            case _:
                assert_never(task)
