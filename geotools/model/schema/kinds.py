"""The record kinds of a programme, column by column.

For every room that needs to know what a layer holds; a new kind is a new row of `KINDS`, not a branch.
Minimum fields after the GICHD minimum-data draft (2018) and the IMSMA field lists.
"""

from __future__ import annotations

import re

from geotools.model.errors import SchemaError
from geotools.model.schema.columns import Column as C
from geotools.model.schema.columns import Schema
from geotools.model.vocab import fold

AREA = ("Polygon", "MultiPolygon")
POINT = ("Point", "MultiPoint")
LINE = ("LineString", "MultiLineString")

_GUID = C(
    "guid",
    "text",
    aliases=("uuid", "globalid", "global id", "hazard_guid", "instanceid"),
    help="Stable UUID.",
    short="guid",
)
_NOTE = C("note", aliases=("notes", "comment", "comments", "remarks", "description", "qeyd", "açıklama"), short="note")
_NAME = C("name", aliases=("title", "label", "ad", "adı", "название"), short="name")
_ORG = C(
    "organisation",
    aliases=("organization", "org", "operator", "agency", "təşkilat", "kurum", "организация"),
    short="org",
)
_TEAM = C("team", aliases=("unit", "team id", "komanda", "ekip", "tim"), short="team")
_H_ACC = C(
    "h_acc_m",
    "number",
    "m",
    aliases=(
        "accuracy",
        "gps accuracy",
        "hacc",
        "horizontal accuracy",
        "h_acc",
        "accuracy_m",
        "hrms",
        "h rms",
        "horizontal rms",
        "eph",
    ),
    short="hAccM",
    minimum=0,
    help="Horizontal accuracy, 1 sigma per axis.",
)
_HAZARD_ID = C(
    "hazard_id",
    "id",
    aliases=(
        "hazard",
        "haz_id",
        "hazardid",
        "hazard_localid",
        "ha_id",
        "linked hazard",
        "imsma_hazard",
        "təhlükə kodu",
        "tehlike kodu",
    ),
    short="hazardId",
)
_ACTIVITY_ID = C("activity_id", "id", aliases=("activity", "act_id", "activityid", "task_activity"), short="activityId")
_TASK_ID = C("task_id", "id", aliases=("task", "taskid", "task no"), short="taskId")
_ADMIN = (
    C("country", aliases=("country name",), short="country"),
    C(
        "admin1",
        aliases=("district", "rayon", "province", "adm1", "adm1_name", "rayonu", "ilçe", "район"),
        short="admin1",
    ),
    C("admin2", aliases=("municipality", "subdistrict", "adm2", "adm2_name"), short="admin2"),
    C("place", aliases=("settlement", "village", "locality", "nearest settlement", "kənd", "köy"), short="place"),
)
_SOURCE = (
    C("source_crs", aliases=("coordrefsys", "crs", "datum"), short="srcCrs", help="Reference system as entered."),
    C("source_coords", aliases=("as entered", "user_entered"), short="srcCoords", help="Coordinates as typed."),
    C("transform_op", short="transfOp", help="Operation used to reach WGS 84, with its accuracy."),
)
_REPORTED = C(
    "area_reported_m2",
    "number",
    "m2",
    aliases=(
        "area reported",
        "reported area",
        "area_m2",
        "area sqm",
        "area",
        "area_size",
        "estimated area",
        "sahə",
        "sahəsi",
        "alan",
        "alanı",
        "yüzölçümü",
        "площадь",
        "area m2",
        "areareport",
    ),
    short="areaRepM2",
    minimum=0,
)
_CLASS = (
    "təsnifat",
    "növ",
    "növü",
    "təhlükə növü",
    "sınıflandırma",
    "tür",
    "türü",
    "tehlike türü",
    "классификация",
)
_DEPTH = ("depth", "dərinlik", "глубина")  # derinlik folds to the same
_WIDTH = (
    "iş eni",
    "iş genişliyi",
    "iş genişliği",
    "çalışma genişliği",
    "çalışma eni",
    "ширина захвата",
    "рабочая ширина",
)
_DATE = ("report date", "date of report", "completion date", "end date", "tarix", "tarih", "tarixi", "tarihi", "дата")


def _id(*aliases: str) -> C:
    return C(
        "id",
        "id",
        required=True,
        aliases=(
            "id",
            "local id",
            "localid",
            "local_id",
            "code",
            "imsma_id",
            "ref",
            "kod",
            "kodu",
            "kayıt no",
            "qeyd no",
            "код",
            *aliases,
        ),
        short="id",
        help="Key, unique in its layer.",
    )


_HAZARDS = Schema(
    "hazards",
    AREA,
    (
        _id("hazard_id", "hazard_localid", "hazardid", "ha_id", "haz_id", "sha_id", "cha_id", "polygon_id"),
        _GUID,
        _NAME,
        C(
            "classification",
            "word",
            required=True,
            words="classification",
            aliases=("class", "type", "hazard type", "land type", "land classification", "hazard_type", *_CLASS),
            short="classif",
        ),
        C(
            "status",
            "word",
            words="hazard_status",
            aliases=("hazard status", "land status", "state", "vəziyyət", "durum"),
            short="status",
        ),
        C(
            "contamination",
            "words",
            words="contamination",
            aliases=(
                "type of contamination",
                "contamination type",
                "devices",
                "device category",
                "çirklənmə",
                "çirklənmə növü",
                "kirlilik",
                "kirlilik türü",
                "kirlenme",
                "загрязнение",
            ),
            short="contam",
        ),
        C("evidence", "word", words="evidence", aliases=("evidence type", "sübut", "kanıt"), short="evidence"),
        C("info_reliability", aliases=("information reliability",), short="infoRel"),
        C("source_reliability", short="srcRel"),
        _REPORTED,
        C("area_basis", aliases=("area type",), short="areaBasis"),
        C(
            "date_info",
            "date",
            aliases=("date of information", "information date", "info date", "survey date", "date", *_DATE),
            short="dateInfo",
        ),
        C("date_entry", "date", aliases=("entry date", "data entry date", "created"), short="dateEntry"),
        C("status_changed_date", "date", aliases=("status date", "closed date"), short="statDate"),
        C("status_changed_reason", short="statReason"),
        _ORG,
        *_ADMIN,
        C("parent_id", "id", aliases=("parent",), short="parentId"),
        C("supersedes_id", "id", short="superId"),
        C("links", aliases=("imsma_links", "linked ids"), short="links"),
        C("safe_to_publish", "boolean", aliases=("is it safe to record the location", "publish"), short="safePub"),
        _H_ACC,
        *_SOURCE,
        _NOTE,
    ),
    "Hazardous areas",
    (
        "hazard",
        "hazard_areas",
        "hazardous areas",
        "sha",
        "cha",
        "sha_cha",
        "minefields",
        "land",
        "haz",
        "hazard_poly",
        "təhlükəli ərazilər",
        "təhlükəli ərazi",
        "təhlükəli sahələr",
        "tehlikeli alanlar",
        "tehlikeli alan",
    ),
)
_RELEASES = Schema(
    "releases",
    AREA,
    (
        _id("release_id", "releaseid", "rel_id", "clearance_id", "cleared_id", "reduction_id", "hazreduc_localid"),
        _GUID,
        _NAME,
        _HAZARD_ID,
        _ACTIVITY_ID,
        _TASK_ID,
        C(
            "product",
            "word",
            required=True,
            words="product",
            aliases=(
                "release type",
                "release product",
                "land release",
                "result",
                "release_type",
                "outcome",
                "type",
                "məhsul",
                "nəticə",
                "ürün",
                "sonuç",
            ),
            short="product",
        ),
        C(
            "method",
            "word",
            words="method",
            aliases=("operational method", "clearance method", "üsul", "yöntem", "метод"),
            short="method",
        ),
        C(
            "follow_up",
            "word",
            words="method",
            aliases=("follow up", "followup", "follow-up method", "followed up by"),
            short="followUp",
            help="Search method that followed mechanical processing; empty if none.",
        ),
        C("with_technical_asset", "boolean", aliases=("technical asset",), short="techAsset"),
        C(
            "date",
            "date",
            aliases=("release date", "date released", "date cleared", "date_info", "date of information", *_DATE),
            short="date",
        ),
        C(
            "depth_cm",
            "number",
            "cm",
            aliases=("clearance depth", "depth (cm)", *_DEPTH),
            short="depthCm",
            minimum=0,
            maximum=1000,
        ),
        _ORG,
        _TEAM,
        _REPORTED,
        C("handover_date", "date", aliases=("handed over",), short="handover"),
        *_ADMIN,
        C("links", aliases=("imsma_links",), short="links"),
        _H_ACC,
        *_SOURCE,
        _NOTE,
    ),
    "Released land",
    (
        "release",
        "released",
        "clearance",
        "cleared",
        "cleared areas",
        "clearances",
        "land release",
        "reduced",
        "cancelled",
        "hazreduc",
        "completed areas",
        "təmizlənmiş",
        "təmizlənmiş ərazilər",
        "temizlenen alanlar",
    ),
)
_EVENTS = Schema(
    "events",
    AREA,
    (
        _id("event_id", "eventid"),
        _GUID,
        C(
            "event",
            "word",
            required=True,
            words="event",
            aliases=("event type", "what happened", "change", "type"),
            short="event",
        ),
        _HAZARD_ID,
        C("date", "date", aliases=("event date", "date of event", "date reopened", *_DATE), short="date"),
        _ORG,
        _TEAM,
        _H_ACC,
        *_SOURCE,
        _NOTE,
    ),
    "Changes to hazards",
    ("event", "ledger events", "hazard events", "reopenings", "reopened", "reopened areas"),
)
_ACTIVITIES = Schema(
    "activities",
    (*AREA, *POINT, *LINE),
    (
        _id("activity_id", "activityid"),
        _GUID,
        _NAME,
        C("type", "word", required=True, words="activity_type", aliases=("activity type", "activity"), short="type"),
        C("status", "word", words="activity_status", aliases=("activity status",), short="status"),
        C("method", "word", words="method", aliases=("operational method",), short="method"),
        _ORG,
        _TEAM,
        C("asset", aliases=("machine", "asset id", "equipment"), short="asset"),
        C("start", "date", aliases=("start date", "date start", "from"), short="start"),
        C("end", "date", aliases=("end date", "date end", "to"), short="end"),
        _HAZARD_ID,
        _TASK_ID,
        C("depth_cm", "number", "cm", aliases=_DEPTH, short="depthCm", minimum=0),
        C("processed_m2", "number", "m2", aliases=("area processed", "processed area"), short="procM2", minimum=0),
        C(
            "devices_found",
            "integer",
            aliases=("devices", "total devices", "devices destroyed", "items found"),
            short="devFound",
            minimum=0,
            help="Items of ordnance in the report; compared with the finds linked to it.",
        ),
        C("hours", "number", "h", aliases=("work hours", "machine hours"), short="hours", minimum=0),
        C("workers", "integer", aliases=("deminers", "number of deminers"), short="workers", minimum=0),
        C("links", aliases=("imsma_links",), short="links"),
        *_ADMIN,
        _NOTE,
    ),
    "Activities",
    ("activity", "reports", "work reports", "daily reports"),
)
_FINDS = Schema(
    "finds",
    POINT,
    (
        _id("find_id", "device_id", "eo_id"),
        _GUID,
        _ACTIVITY_ID,
        _HAZARD_ID,
        C(
            "category",
            "word",
            words="find_category",
            aliases=(
                "device category",
                "eo category",
                "type",
                "find type",
                "device type",
                "kateqoriya",
                "kategori",
                "növ",
                "tür",
            ),
            short="category",
        ),
        C("model", aliases=("device model", "device"), short="model"),
        C(
            "qty",
            "integer",
            aliases=("quantity", "number", "count", "say", "sayı", "miqdar", "adet", "miktar"),
            short="qty",
            minimum=1,
        ),
        C("condition", short="condition"),
        C("depth_cm", "number", "cm", aliases=("depth (cm)", *_DEPTH), short="depthCm"),
        C("date", "date", aliases=("date found", "find date", *_DATE), short="date"),
        C("disposal", aliases=("disposal method", "disposed"), short="disposal"),
        _ORG,
        _TEAM,
        *_ADMIN,
        _H_ACC,
        *_SOURCE,
        _NOTE,
    ),
    "Explosive ordnance found",
    ("find", "eo_finds", "devices", "ordnance", "items found", "eo", "tapıntılar", "buluntular"),
)
_ACCIDENTS = Schema(
    "accidents",
    POINT,
    (
        _id("accident_id"),
        _GUID,
        C("date", "date", aliases=("accident date", *_DATE), short="date"),
        C(
            "cause",
            "word",
            words="accident_cause",
            aliases=("accident type", "device category", "type", "category"),
            short="cause",
        ),
        C("killed", "integer", aliases=("fatalities", "deaths"), short="killed", minimum=0),
        C("injured", "integer", aliases=("injuries",), short="injured", minimum=0),
        C("activity_at_time", aliases=("activity at the time",), short="actAtTime"),
        C("safe_to_publish", "boolean", aliases=("publish",), short="safePub"),
        _HAZARD_ID,
        *_ADMIN,
        _H_ACC,
        *_SOURCE,
        _NOTE,
    ),
    "Accidents",
    ("accident", "incidents", "incident", "qəzalar", "kazalar"),
)
_FIXES = Schema(
    "fixes",
    ("Point",),
    (
        _id("fix_id", "fid"),
        C(
            "asset_id",
            "id",
            aliases=(
                "asset",
                "machine",
                "device",
                "tracker",
                "vehicle",
                "detector",
                "machine id",
                "machine name",
                "device id",
                "vehicle id",
                "tracker id",
                "unit id",
                "detector id",
            ),
            short="assetId",
        ),
        C("run_id", "id", aliases=("run", "track", "track_id", "session", "lane"), short="runId"),
        _TASK_ID,
        C(
            "time",
            "time",
            required=True,
            aliases=(
                "timestamp",
                "utc",
                "utc time",
                "datetime",
                "date time",
                "date_time",
                "gps time",
                "time utc",
                "datetime utc",
                "date time utc",
                "timestamp utc",
                "utc timestamp",
                "gps datetime",
                "gps date time",
                "fix time",
            ),
            short="time",
        ),
        C(
            "width_m",
            "number",
            "m",
            aliases=("width", "swath", "swath width", "working width", "implement width", *_WIDTH),
            short="widthM",
            minimum=0,
        ),
        C(
            "is_on",
            "boolean",
            aliases=(
                "working",
                "on",
                "work",
                "engaged",
                "tool on",
                "active",
                "section on",
                "recording",
                "tool at work",
                "çalışıyor",
                "işləyir",
                "работает",
            ),
            short="isOn",
        ),
        C(
            "fix_quality",
            "word",
            words="fix_quality",
            aliases=("quality", "fix", "gps quality", "fix type", "fixtype"),
            short="fixQual",
        ),
        _H_ACC,
        C("hdop", "number", aliases=("dop", "pdop"), short="hdop", minimum=0),
        C("satellites", "integer", aliases=("sats", "nsat", "sat", "num sats"), short="sats"),
        C("depth_cm", "number", "cm", aliases=("working depth", "tool depth", *_DEPTH), short="depthCm"),
        C("speed_mps", "number", "m/s", aliases=("speed", "speed m/s"), short="speedMps"),
        C("heading_deg", "number", "deg", aliases=("heading", "course", "track angle", "cog"), short="headDeg"),
        C("elevation_m", "number", "m", aliases=("ele", "altitude", "alt", "elevation", "height"), short="elevM"),
        _ORG,
        C("operator", aliases=("operator name", "driver"), short="operator"),
        *_SOURCE,
    ),
    "GNSS fixes of a tool",
    ("fix", "gnss", "gps", "gps log", "machine log", "points log"),
)
_TRACKS = Schema(
    "tracks",
    LINE,
    (
        _id("track_id"),
        C("asset_id", "id", aliases=("asset", "machine"), short="assetId"),
        C("run_id", "id", aliases=("run",), short="runId"),
        _TASK_ID,
        C("width_m", "number", "m", aliases=("width", "working width", *_WIDTH), short="widthM", minimum=0),
        C("start", "time", aliases=("start time", "begin"), short="start"),
        C("end", "time", aliases=("end time",), short="end"),
        _ORG,
        _TEAM,
        _NAME,
        _NOTE,
    ),
    "Tracks",
    ("track", "lanes worked", "routes"),
)
_MARKS = Schema(
    "marks",
    POINT,
    (
        _id("point_id", "mark_id"),
        C("feature_id", "id", aliases=("feature", "polygon_id", "hazard_id", "shape owner"), short="featureId"),
        C("shape_id", "id", aliases=("shape", "polygon"), short="shapeId"),
        C("point_no", "integer", aliases=("no", "number", "order", "pointno", "seq", "point number"), short="pointNo"),
        C("point_type", "word", words="point_type", aliases=("type", "pointtype", "pointtypeenum"), short="pointType"),
        C("from_point", "id", aliases=("frompoint", "from"), short="fromPoint"),
        C("bearing", "number", aliases=("azimuth",), short="bearing"),
        C("bearing_unit", "word", words="angle_unit", short="bearUnit"),
        C("north", "word", words="north", aliases=("north reference", "north_ref"), short="north"),
        C("distance_m", "number", "m", aliases=("distance", "length"), short="distM", minimum=0),
        C("slope_deg", "number", "deg", aliases=("slope",), short="slopeDeg"),
        _H_ACC,
        *_SOURCE,
        _NOTE,
    ),
    "Survey marks",
    ("mark", "points", "turning points", "benchmarks", "survey marks"),
)
_LEGS = Schema(
    "legs",
    (),
    (
        _id("leg_id"),
        C("feature_id", "id", aliases=("polygon", "polygon_id", "hazard_id", "traverse", "figure"), short="featureId"),
        C("leg_no", "integer", aliases=("no", "leg", "seq", "order"), short="legNo"),
        C("from_point", "id", required=True, aliases=("from", "from point", "station"), short="fromPoint"),
        C("to_point", "id", required=True, aliases=("to", "to point", "target"), short="toPoint"),
        C(
            "point_type",
            "word",
            words="point_type",
            aliases=("type of point", "to type"),
            short="pointType",
            help="What to_point is; empty: by its name (SP, TP1, BM) or a turning point.",
        ),
        C("bearing", "text", required=True, aliases=("azimuth", "bearing deg", "direction", "azimut"), short="bearing"),
        C("bearing_unit", "word", words="angle_unit", aliases=("unit", "angle unit"), short="bearUnit"),
        C("north", "word", words="north", aliases=("north reference", "north ref", "reference north"), short="north"),
        C(
            "distance_m",
            "number",
            "m",
            required=True,
            aliases=("distance", "length", "dist", "məsafə", "mesafe"),
            short="distM",
            minimum=0,
        ),
        C("slope_deg", "number", "deg", aliases=("slope", "vertical angle", "inclination"), short="slopeDeg"),
        C("date", "date", aliases=("survey date", *_DATE), short="date"),
        _NOTE,
    ),
    "Traverse legs",
    ("leg", "traverse", "traverses", "bearings", "bearing distance"),
)
_SAMPLES = Schema(
    "samples",
    (*AREA, *POINT),
    (
        _id("sample_id", "qc_id"),
        _GUID,
        C("lot_id", "id", aliases=("lot",), short="lotId"),
        _ACTIVITY_ID,
        _HAZARD_ID,
        C("date", "date", aliases=("inspection date", *_DATE), short="date"),
        C("result", "word", words="inspection_result", aliases=("outcome",), short="result"),
        C("nonconformity", "word", words="nonconformity", aliases=("severity",), short="nonconf"),
        C("inspector", aliases=("inspected by",), short="inspector"),
        C("inspected", aliases=("inspected organisation", "inspected org"), short="inspected"),
        C("asset_id", "id", aliases=("asset", "operator"), short="assetId"),
        C("depth_cm", "number", "cm", aliases=_DEPTH, short="depthCm"),
        _NOTE,
    ),
    "Quality inspections",
    ("sample", "qc", "qa", "inspections", "quality", "qc_samples"),
)
_PLACES = Schema(
    "places",
    (*POINT, *AREA),
    (
        _id("place_id", "pcode"),
        _NAME,
        C("type", "word", words="place_type", aliases=("place type", "category", "class"), short="type"),
        C("population", "integer", aliases=("people", "pop", "əhali", "nüfus"), short="population", minimum=0),
        *_ADMIN[:3],
        _NOTE,
    ),
    "Places",
    ("place", "settlements", "villages", "gazetteer", "towns"),
)
_LANDUSE = Schema(
    "landuse",
    (*AREA, *LINE),
    (
        _id("landuse_id"),
        _NAME,
        C("use", "word", words="landuse", aliases=("land use", "type", "class", "cover", "category"), short="use"),
        _ADMIN[1],
        _NOTE,
    ),
    "Land use",
    ("land use", "land_use", "arable", "arable land", "roads", "farmland", "road"),
)
_TARGETS = Schema(
    "targets",
    ("Point",),
    (
        _id("target_id"),
        C("lane_id", "id", aliases=("lane",), short="laneId"),
        C("target_type", aliases=("type", "target"), short="targType"),
        C("depth_cm", "number", "cm", aliases=_DEPTH, short="depthCm"),
        C("soil", aliases=("soil type",), short="soil"),
        C("x_m", "number", "m", aliases=("x", "along"), short="xM"),
        C("y_m", "number", "m", aliases=("y", "across"), short="yM"),
        _NOTE,
    ),
    "Blind-lane targets",
    ("target", "blind targets"),
)
_SIGNALS = Schema(
    "signals",
    ("Point",),
    (
        _id("signal_id", "mark_id"),
        C("lane_id", "id", aliases=("lane",), short="laneId"),
        C("operator", aliases=("operator id", "deminer", "trainee"), short="operator"),
        C("detector", aliases=("detector model", "instrument"), short="detector"),
        C("run_id", "id", aliases=("run", "attempt"), short="runId"),
        C("score", "number", aliases=("confidence", "strength"), short="score"),
        C("time", "time", aliases=("timestamp",), short="time"),
        C("x_m", "number", "m", aliases=("x", "along"), short="xM"),
        C("y_m", "number", "m", aliases=("y", "across"), short="yM"),
        _NOTE,
    ),
    "Blind-lane marks of an operator",
    ("signal", "alarms", "marks made", "detections"),
)

KINDS: dict[str, Schema] = {
    entry.kind: entry
    for entry in (
        _HAZARDS, _RELEASES, _EVENTS, _ACTIVITIES, _FINDS, _ACCIDENTS, _FIXES, _TRACKS, _MARKS, _LEGS, _SAMPLES, _PLACES, _LANDUSE, _TARGETS, _SIGNALS,
    )
}  # fmt: skip


def schema(kind: str) -> Schema:
    """The schema of a record kind.

    Returns
    -------
    Schema
        Its columns in order, with their types, units, vocabularies and other spellings.

    Raises
    ------
    SchemaError
        If there is no such kind; `KINDS` lists them.

    Examples
    --------
    >>> finds = schema("finds")
    >>> finds.geometry, finds.column("depth_cm").unit, finds.column("category").words
    (('Point', 'MultiPoint'), 'cm', 'find_category')
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise SchemaError(f"{str(kind)[:40]!r} is not a record kind", hint=f"kinds are {', '.join(KINDS)}")
    return KINDS[kind]


def kind_of(name: str) -> str | None:
    """The record kind a file or layer name stands for, or None.

    Examples
    --------
    >>> kind_of("Cleared_Areas_2024"), kind_of("fixes-task7"), kind_of("photo")
    ('releases', 'fixes', None)
    """
    words = re.sub(r"(?<![a-z])\d+|\d+(?![a-z])", " ", fold(name)).split()
    spellings = {fold(s): kind for kind, entry in KINDS.items() for s in (kind, *entry.aliases)}
    for size in range(len(words), 0, -1):
        for start in range(len(words) - size + 1):
            kind = spellings.get(" ".join(words[start : start + size]))
            if kind:
                return kind
    return None
