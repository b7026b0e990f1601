"""Generated from api/openapi.yaml: its schemas as Pydantic models. Never edited."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

DatasourceId = TypeAliasType(
    "DatasourceId",
    Annotated[
        str,
        Field(
            description="The Go backend's name for a data source; also the folder that `plan.dataset` is looked up in first.",
            examples=['energy-files'],
            pattern='^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$',
        ),
    ],
)


DatasetPath = TypeAliasType(
    "DatasetPath",
    Annotated[
        str,
        Field(
            description='A file, a directory or a glob: an absolute path under the base path, a path relative to it, a\n`file://` URI under it, or a cloud URI (`s3://`, `gs://`, `az://`) whose prefix is configured.\n',
            examples=['/data/files/energy/measurements.parquet'],
            max_length=4096,
            min_length=1,
        ),
    ],
)


ColumnName = TypeAliasType(
    "ColumnName",
    Annotated[
        str,
        Field(
            description="A column's name, letter by letter; never a pattern.",
            examples=['kwh'],
            max_length=1024,
        ),
    ],
)


DataType = TypeAliasType(
    "DataType",
    Annotated[
        Literal['bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64', 'decimal', 'string', 'binary', 'date', 'time', 'timestamp', 'duration', 'list', 'struct', 'null'],
        Field(description="A type by Arrow's name."),
    ],
)


class FieldModel(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    name: ColumnName
    type: DataType
    nullable: Annotated[bool, Field(description='Whether nulls were seen, or could not be ruled out.')]
    timezone: Annotated[
        str | None,
        Field(
            description='Of a timestamp that marks an instant; absent from one without a zone.',
            examples=['UTC'],
        ),
    ] = None
    precision: Annotated[int | None, Field(description='Of a decimal, its digits.')] = None
    scale: Annotated[int | None, Field(description='Of a decimal, its digits after the point.')] = None
    items: FieldModel | None = None
    fields: Annotated[list[FieldModel] | None, Field(description='The members of a struct.')] = None


class Row(BaseModel):
    model_config = ConfigDict(
        extra='allow',
    )


class Versions(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    airpy: str
    python: str
    pandas: str
    polars: str
    pyarrow: str
    narwhals: str
    connexion: str
    dramatiq: str
    redis: Annotated[str, Field(description='The version the Redis server reports.')]


class JobStarted(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    token: Annotated[int, Field(ge=1)]
    status: Literal['started']
    message: str


JobStatus = TypeAliasType("JobStatus", Literal['started', 'running', 'completed', 'failed', 'cancelled'])


JobType = TypeAliasType("JobType", Literal['discover', 'infer_schema', 'query', 'analyze'])


StepName = TypeAliasType(
    "StepName",
    Annotated[
        Literal['scanning_directory', 'files_found', 'discovery_complete', 'file_found', 'reading_file', 'analyzing_schema', 'schema_complete', 'loading_data', 'applying_filters', 'aggregating', 'query_complete', 'basic_stats', 'correlation_analysis', 'outlier_detection', 'analysis_complete'],
        Field(
            description='`discover`: scanning_directory, files_found, discovery_complete.\n`infer_schema`: file_found, reading_file, analyzing_schema, schema_complete.\n`query`: file_found, loading_data, applying_filters, aggregating, query_complete.\n`analyze`: loading_data, basic_stats, correlation_analysis, outlier_detection, analysis_complete.\n'
        ),
    ],
)


WorkUnit = TypeAliasType("WorkUnit", Literal['files', 'bytes'])


class JobEvent(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    id: Annotated[
        str | None, Field(description='Of a step, its number. The events after it are sent without.')
    ] = None
    event: Literal['step', 'progress', 'end']
    data: str


class JobSummary(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    token: Annotated[int, Field(ge=1)]
    job_type: JobType
    status: JobStatus
    datasource_id: Annotated[str, Field(description='Empty for a frame that was sent.')]
    progress: Annotated[float | None, Field(ge=0.0, le=1.0)]
    attempt: Annotated[int, Field(ge=0)]
    code: int
    request_id: str
    created_at: AwareDatetime
    updated_at: AwareDatetime


class JobList(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    jobs: Annotated[list[JobSummary], Field(description='The newest first.')]
    next_cursor: Annotated[
        int | None, Field(description='The `cursor` of the next page; null on the last one.', ge=1)
    ]


class Caps(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    memory_mb: Annotated[
        int, Field(description='`PY_MEMORY_MB`: memory of one job, in MiB. Beyond it: 413, `MEMORY_CAP`.')
    ]
    job_timeout_s: Annotated[
        float,
        Field(
            description='`PY_JOB_TIMEOUT_S`: run time of one attempt at a job. Beyond it: 408, `TIME_LIMIT`.'
        ),
    ]
    timeout_s: Annotated[
        float,
        Field(
            description='`PY_TIMEOUT_S`: time for what answers at once (`preview`). Beyond it: 408, `TIME_LIMIT`.'
        ),
    ]
    max_rows_json: Annotated[
        int,
        Field(
            description='`PY_MAX_ROWS_JSON`: rows in JSON. Beyond it `truncated` is true; the download has them all.'
        ),
    ]
    max_body_mb: Annotated[
        int,
        Field(description="`PY_MAX_BODY_MB`: a request's body, in MiB. Beyond it: 413, `BODY_TOO_LARGE`."),
    ]
    max_queued_jobs: Annotated[
        int,
        Field(description='`PY_MAX_QUEUED_JOBS`: jobs that have not ended. Beyond it: 429, `QUEUE_FULL`.'),
    ]
    max_attempts: Annotated[
        int,
        Field(description='`PY_MAX_ATTEMPTS`: ends in a killed process or worker after which a job fails.'),
    ]
    max_join_rows: Annotated[
        int,
        Field(
            description='`PY_MAX_JOIN_ROWS`: rows that one join of a plan may make. Beyond it: 413, `TOO_LARGE`.'
        ),
    ]


class QueueState(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    active: Annotated[
        int, Field(description="Jobs that have not ended, those that share another's work too.", ge=0)
    ]
    waiting: Annotated[int, Field(description='Jobs in line, those that are to be begun again too.', ge=0)]
    slots: Annotated[
        int, Field(description='Worker slots that are alive; each runs one job at a time.', ge=0)
    ]
    redis_memory_share: Annotated[
        float,
        Field(
            description='How much of its memory Redis uses, 0 to 1; 0 when it has no bound. Above 0.8 jobs are refused.',
            ge=0.0,
        ),
    ]
    retry_after_s: Annotated[
        int,
        Field(
            description="What a refused job's `Retry-After` would say; about the time until a tenth of the jobs has ended.",
            ge=1,
        ),
    ]


class JobLoad(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    job_type: JobType
    waiting: Annotated[int, Field(description='Jobs with the status `started`.', ge=0)]
    running: Annotated[int, Field(description='Jobs with the status `running`.', ge=0)]
    run_s: Annotated[
        float | None,
        Field(
            description='Seconds that the last ones took, on average; null when none has completed.', ge=0.0
        ),
    ]
    wait_s: Annotated[
        float | None,
        Field(
            description='Seconds of work in line before a new one, at the pace of each type and shared among the slots; what\nruns just now is not counted. Null when no worker is alive.\n',
            ge=0.0,
        ),
    ]


class PostMortem(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    attempts: Annotated[int, Field(description='How many attempts at it have failed.')]
    last_step: Annotated[
        str | None, Field(description='The last step of the last attempt; null when it reached none.')
    ]
    exit_signal: Annotated[
        str | None,
        Field(
            description='The signal that ended its process; null when its worker died with it, or none did.'
        ),
    ]
    peak_memory_mb: Annotated[int, Field(description='The most memory that it was seen to use.')]


ErrorCode = TypeAliasType(
    "ErrorCode",
    Annotated[
        Literal['VALIDATION_ERROR', 'IO_ERROR', 'TIMEOUT', 'RESOURCE_CAP', 'AUTH_ERROR', 'INTERNAL_ERROR'],
        Field(
            description='`VALIDATION_ERROR` the request is wrong · `IO_ERROR` a file, or the queue, cannot be reached or read ·\n`TIMEOUT` the work took too long · `RESOURCE_CAP` a limit of memory, rows, size or queue ·\n`AUTH_ERROR` no valid token · `INTERNAL_ERROR` a fault of ours.\n'
        ),
    ],
)


NearestAnswers = TypeAliasType("NearestAnswers", list[str])


class JsonPatchOperation(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['add', 'replace', 'remove']
    path: Annotated[str, Field(description="A JSON Pointer into the request's body.")]
    value: Annotated[Any | None, Field(description='What is put there.')] = None


ErrorReason = TypeAliasType(
    "ErrorReason",
    Annotated[
        Literal['SCHEMA_VIOLATION', 'MALFORMED_BODY', 'NOT_FOUND', 'METHOD_NOT_ALLOWED', 'NOT_ACCEPTABLE', 'UNSUPPORTED_MEDIA_TYPE', 'BAD_RANGE', 'BODY_TOO_LARGE', 'BODY_TIMEOUT', 'UNAUTHORIZED', 'PATH_REFUSED', 'EXTENSION_NOT_ALLOWED', 'AMBIGUOUS_DATASET', 'INVALID_PLAN', 'INVALID_OPTIONS', 'INVALID_FRAME', 'UNKNOWN_COLUMN', 'TYPE_MISMATCH', 'CAST_FAILED', 'JOB_NOT_FOUND', 'JOB_EXPIRED', 'RESULT_NOT_READY', 'NO_RESULT_FRAME', 'NO_DEAD_LETTER', 'IDEMPOTENCY_KEY_REUSED', 'FILE_MISSING', 'NO_DATA_FILES', 'UNREADABLE_FILE', 'EMPTY_FILE', 'UNSUPPORTED', 'ENCODING', 'CONTENT_MISMATCH', 'TOO_DEEP', 'FAULTY_ROW', 'FILE_CHANGED', 'READ_INTERRUPTED', 'READER_CRASHED', 'PROCESS_KILLED', 'WORKER_DIED', 'QUEUE_UNAVAILABLE', 'QUEUE_FULL', 'MEMORY_CAP', 'BUDGET_EXCEEDED', 'TOO_LARGE', 'DISK_FULL', 'TIME_LIMIT', 'INTERNAL'],
        Field(description='The exact case; stable, made for programs.'),
    ],
)


class Violation(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    field: str
    constraint: str
    message: str


NullMarker = TypeAliasType("NullMarker", Annotated[str, Field(max_length=100)])


OnError = TypeAliasType(
    "OnError",
    Annotated[
        Literal['fail', 'skip', 'null'],
        Field(
            description='What becomes of a row that cannot be read without loss: `fail` ends the job and names it, `skip` leaves the row\nout, `null` keeps it with null for the value. What is left out is counted, and the first of it shown.\n'
        ),
    ],
)


class ReadingNote(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    file: Annotated[str, Field(description='The first file of which it is so.')]
    column: str | None = None
    text: str


class Source(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    path: str
    size_bytes: int
    modified: Annotated[AwareDatetime | None, Field(description='Null where the storage does not say.')]
    fingerprint: Annotated[
        str,
        Field(
            description='Of the content: of all of a file up to 1 MiB, else of its size and 16 blocks of 64 KiB spread evenly over it,\nthe first and the last among them. For a cloud file, of what its storage tags it with.\n'
        ),
    ]


class TextForm(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    files: Annotated[int, Field(description='How many are written so.')]
    example: Annotated[str, Field(description='The first of them.')]
    encoding: str
    compression: Literal['gzip', 'zstd', 'bz2'] | None = None
    delimiter: str | None = None
    quote: Annotated[str | None, Field(description='Empty when there is none.')] = None
    escape: Annotated[str | None, Field(description='Empty when a quote is written twice.')] = None
    comment: str | None = None
    line_end: str | None = None
    header: bool | None = None
    header_rows: Annotated[
        int | None, Field(description='Lines that the names of the columns are spread over.')
    ] = None
    skipped_lines: Annotated[int | None, Field(description='Lines before the header that are no rows.')] = (
        None
    )
    footer_lines: Annotated[int | None, Field(description='Lines after the last row that are no rows.')] = (
        None
    )
    rewritten: Annotated[
        bool | None,
        Field(
            description='Whether it is so written that it had to be put into plain form before it was read.'
        ),
    ] = None


FaultKind = TypeAliasType(
    "FaultKind",
    Annotated[
        Literal['bad_value', 'ragged_row', 'open_quote', 'bad_json', 'bad_bytes', 'too_deep'],
        Field(
            description="`bad_value` a value that its column's type does not take · `ragged_row` more or fewer values than the header ·\n`open_quote` a quote that is never closed · `bad_json` a line that is no JSON object · `bad_bytes` bytes that are\nno text in the file's encoding · `too_deep` JSON nested too deep.\n"
        ),
    ],
)


class CounterExample(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    file: str
    row: Annotated[int, Field(description='The row of the file, from 1.')]
    value: str


class SchemaChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    file: Annotated[str, Field(description='The file in which it is so for the first time.')]
    column: Annotated[str, Field(description='Its name in the union of all files.')]
    change: Annotated[
        Literal['introduced', 'dropped', 'retyped', 'renamed'],
        Field(
            description='`introduced` the column was in no file before · `dropped` the file before had it · `retyped` it had another\ntype in the file before · `renamed` it is written in other letters than in the union, as in `Name` for `name`.\n'
        ),
    ]
    from_: Annotated[
        str | None, Field(alias='from', description='The type, or the name, in the file before.')
    ] = None
    to: Annotated[str | None, Field(description='The type, or the name, in this file.')] = None
    cast: Annotated[
        str | None, Field(description="The type that the union has, where this file's is cast to it.")
    ] = None


class DiscoverRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    datasource_id: DatasourceId
    uri: DatasetPath
    recurse: Annotated[bool, Field(description='Whether to look into sub-directories.')] = True
    max_files: Annotated[
        int,
        Field(
            description='Stop after this many files; `truncated` then says that there are more.',
            ge=1,
            le=100000,
        ),
    ] = 1000


FileFormat = TypeAliasType("FileFormat", Literal['csv', 'parquet', 'jsonl'])


class SchemaStats(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: Annotated[int, Field(description='Rows of the whole data set.')]
    columns: int
    null_ratio: Annotated[
        dict[str, float], Field(description='By column, the share of nulls among the rows read, 0 to 1.')
    ]
    unique_counts: Annotated[
        dict[str, int],
        Field(
            description='By column, the distinct values (null not counted) among the rows read. Nested columns are left out.'
        ),
    ]
    unique_exact: Annotated[
        bool,
        Field(
            description='Whether `unique_counts` were counted; of more than 100,000 rows they are estimates, within some percent.'
        ),
    ]
    memory_usage_mb: Annotated[
        float, Field(description='Estimated size of the whole data set in memory, in MiB.')
    ]
    files: Annotated[int, Field(description='Files of the whole data set.')]
    sampled_rows: Annotated[
        int,
        Field(description='Rows read for types, nulls and distinct values; equal to `rows` when all were.'),
    ]
    rows_exact: Annotated[
        bool,
        Field(
            description='Whether `rows` was counted rather than estimated, as it is for text of more than 64 MiB when not every row is\nread.\n'
        ),
    ]


class PreviewStats(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    sampled: Annotated[bool, Field(description='Whether there are more rows than those given.')]
    total_rows: int
    total_rows_exact: Annotated[
        bool, Field(description='Whether `total_rows` was counted rather than estimated.')
    ]
    sample_size: Annotated[int, Field(description='Rows given.')]


class QueryBudget(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: Annotated[int | None, Field(description='Rows of the answer.', ge=1, le=1000000000000)] = None
    scan_bytes: Annotated[
        int | None,
        Field(
            description='Bytes to read from files; of Parquet those of the columns that are needed, as they are stored.',
            ge=1,
            le=1000000000000000,
        ),
    ] = None
    seconds: Annotated[float | None, Field(gt=0.0, le=1000000.0)] = None
    memory_mb: Annotated[int | None, Field(description='Memory of the job, in MiB.', ge=1, le=100000000)] = (
        None
    )


class PlannedDataset(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    name: str
    format: FileFormat
    files: Annotated[int, Field(description='Files of the data set.', ge=0)]
    files_left: Annotated[
        int, Field(description='Files that are left where filters rule out hive partitions.', ge=0)
    ]
    row_groups: Annotated[
        int | None, Field(description='Row groups of those files, of Parquet; else null.', ge=0)
    ]
    row_groups_left: Annotated[
        int | None,
        Field(
            description='Row groups that are left where filters rule out others by their least and greatest values.',
            ge=0,
        ),
    ]
    rows: Annotated[int, Field(description='Rows to read.', ge=0)]
    bytes: Annotated[
        int,
        Field(
            description='Bytes to read, of Parquet those of the columns that are needed, as they are stored.',
            ge=0,
        ),
    ]
    exact: Annotated[
        bool,
        Field(
            description='Whether row groups, rows and bytes were counted; else they are reckoned from some of the files.'
        ),
    ]


class PlanEstimate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    seconds: Annotated[float, Field(ge=0.0)]
    memory_mb: Annotated[int, Field(description='In MiB.', ge=0)]
    memory_at_most: Annotated[
        bool,
        Field(
            description='Whether that is what it needs at most: how many rows pass the filters, or how many groups there are, only the data can tell.\n'
        ),
    ]
    rows_out: Annotated[
        int | None,
        Field(
            description='Rows of the answer at most; null where a stage may make more of them than the files have.',
            ge=0,
        ),
    ]
    calibrated_on: Annotated[
        int, Field(description='How many queries of this kind were measured for it.', ge=0)
    ]


class BrokenCap(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    cap: Annotated[
        Literal['PY_MEMORY_MB', 'PY_JOB_TIMEOUT_S', 'PY_MAX_JOIN_ROWS', 'budget.rows', 'budget.scan_bytes', 'budget.seconds', 'budget.memory_mb'],
        Field(description='The setting, or the part of the budget.'),
    ]
    limit: float
    estimate: Annotated[
        float,
        Field(
            description='What it would take, in the same unit; of `PY_MEMORY_MB` the least that it would need.'
        ),
    ]
    message: Annotated[str, Field(description='Why, and what helps.')]


class ExplainedStage(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    stage: Annotated[str, Field(description='The key of the plan that says so.')]
    text: str


OutputFormat = TypeAliasType(
    "OutputFormat",
    Annotated[
        Literal['json', 'arrow', 'parquet'],
        Field(description='The format of the file that the result is kept in; `json` keeps an Arrow stream.'),
    ],
)


RowRelation = TypeAliasType(
    "RowRelation",
    Annotated[
        Literal['repeated', 'shared', 'falling', 'level', 'rising', 'after_gap'],
        Field(
            description='`repeated` rows equal an earlier row in `cols`, null to null and NaN to NaN; `shared` rows equal another, earlier or later.\n`falling`, `level` and `rising` are less than the value before, equal to it, and greater; a null is none of them and is\npassed over. Those `after_gap` are more than `every` later than the time before, in the order of time.\n'
        ),
    ],
)


FilterOperator = TypeAliasType(
    "FilterOperator",
    Annotated[
        Literal['=', '==', '!=', '<>', '<', '<=', '>', '>=', 'between', 'in', 'not_in', 'is_null', 'not_null', 'is_nan', 'is_finite', 'is_blank', 'like', 'not_like', 'ilike', 'contains', 'icontains', 'starts_with', 'ends_with', 'regex', 'not_regex', 'is_distinct_from'],
        Field(
            description="`between` takes `[low, high]`; `in` and `not_in` a list; `is_null`, `not_null`, `is_nan`, `is_finite` and `is_blank`\n(no text, or white space alone) nothing; `contains`, `starts_with` and `ends_with` a string, letter by letter,\n`icontains` whatever its case; `like` and `ilike` SQL's `%` and `_` with `\\` before one that stands for itself (and\nbefore itself); `regex` a pattern in the syntax of Rust's `regex`, found anywhere in the text; `is_distinct_from` one\nvalue, or nothing for null; the others one value. The value is cast to the column's type without loss, or\nrefused. NaN equals itself and is greater than every number.\n"
        ),
    ],
)


ClosedEnds = TypeAliasType("ClosedEnds", Literal['both', 'left', 'right', 'none'])


TimeUnit = TypeAliasType("TimeUnit", Literal['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'])


Weekday = TypeAliasType(
    "Weekday",
    Annotated[
        Literal['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
        Field(description='The day that a week begins on.'),
    ],
)


Scalar = TypeAliasType("Scalar", Annotated[str | int | float | bool, Field(description='One value.')])


AggregateFunction = TypeAliasType(
    "AggregateFunction",
    Annotated[
        Literal['count', 'count_valid', 'count_missing', 'n_unique', 'approx_n_unique', 'sum', 'mean', 'avg', 'min', 'max', 'median', 'quantile', 'q1', 'q3', 'std', 'var', 'stderr', 'first', 'last', 'any', 'mode', 'product', 'skew', 'kurtosis', 'mad', 'iqr', 'range', 'arg_min', 'arg_max', 'corr', 'weighted_mean', 'share_of_total', 'all', 'any_true', 'list', 'join_text'],
        Field(
            description="`count` rows; `count_valid` values that are not null; `count_missing` nulls; `n_unique` distinct values, null not\ncounted, and `approx_n_unique` about as many (HyperLogLog, a standard error of 6.5 %); `avg` is `mean`; `std`, `var`\nand `stderr` (of the mean) of a sample unless `ddof` says otherwise; `quantile` by `q`, with `q1`, `median` and `q3` by\nname; `iqr` is `q3 − q1`, `range` is `max − min`, `mad` the median absolute deviation from the median; `mode` the most\nfrequent value, the least of several; `skew` and `kurtosis` (excess) of a population; `product`; `first` and `last`\nin the order of `by`, nulls included; `any` the first value that is not null; `arg_min` and `arg_max` the value where\n`by` is least or greatest, the first of several; `corr` Pearson's, of the rows in which both columns have values;\n`weighted_mean` by `weight`; `share_of_total` the group's sum by that of all groups, before `having`; `all` and `any_true`\nof booleans; `list` the values in the order of the rows, `join_text` the same as one text. Nulls are left out of all\nbut `count`, `count_missing`, `first` and `last`. A group without values gives null, and 0 for the counts; so does what is\nnot defined, as the skewness of equal values or a share of zero. The sum, the product and the range of integers are an\n`int64` (of `uint64`s a `uint64`), or fail the job when they do not fit. The sum and the range of decimals are\ndecimals of 38 digits; mean, median and whatever else may lie between values are `float64`. The range of times is\na duration.\n"
        ),
    ],
)


SortDirection = TypeAliasType("SortDirection", Literal['asc', 'desc'])


NullsPosition = TypeAliasType(
    "NullsPosition", Annotated[Literal['first', 'last'], Field(description='Where nulls go.')]
)


Tolerance = TypeAliasType(
    "Tolerance",
    Annotated[
        str,
        Field(
            description='For `asof`, how far off a match may be: a duration of one unit (`15 minutes`) between times, a number between\nnumbers. Any distance when it is not given.\n',
            pattern='^[1-9][0-9]{0,4} (second|minute|hour|day|week)s?$',
        ),
    ],
)


Tolerance1 = TypeAliasType(
    "Tolerance1",
    Annotated[
        float,
        Field(
            description='For `asof`, how far off a match may be: a duration of one unit (`15 minutes`) between times, a number between\nnumbers. Any distance when it is not given.\n',
            ge=0.0,
        ),
    ],
)


JoinKind = TypeAliasType(
    "JoinKind",
    Annotated[
        Literal['inner', 'left', 'right', 'full', 'semi', 'anti', 'cross', 'asof'],
        Field(
            description='`semi` keeps the rows of the left side that have a match, `anti` those that have none; `cross` pairs every row with\nevery other and takes no keys. `asof` keeps every row of the left side and finds the row of the right whose key is\nnearest, or null: of integers, floats, dates or timestamps. As the keys need not be equal, both stay, the right one\nwith `suffix` where their names are the same. Null matches nothing, nor does NaN in `asof`.\n'
        ),
    ],
)


AsofStrategy = TypeAliasType(
    "AsofStrategy",
    Annotated[
        Literal['backward', 'forward', 'nearest'],
        Field(
            description='The row whose key is not greater (`backward`) or not less (`forward`), or the nearer of them, the greater if they are as\nnear. Of several rows with that key the last of the data set, with `forward` the first.\n'
        ),
    ],
)


JoinCardinality = TypeAliasType(
    "JoinCardinality",
    Annotated[
        Literal['1:1', '1:m', 'm:1', 'm:m'],
        Field(description='Whether a key occurs once (`1`) or often (`m`) on the left and on the right.'),
    ],
)


class Operand(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    col: ColumnName | None = None
    val: Scalar | None = None


Operands = TypeAliasType("Operands", Annotated[list[Operand], Field(max_length=100, min_length=2)])


NewName = TypeAliasType(
    "NewName", Annotated[str, Field(description="The new column's name.", max_length=1024, min_length=1)]
)


TimeGrain = TypeAliasType(
    "TimeGrain",
    Annotated[
        str,
        Field(
            examples=['15 minutes'],
            pattern='^([1-9][0-9]{0,4} (second|minute|hour|day|week|month|quarter|year)s?|P([1-9][0-9]{0,4}[YMWD]|T[1-9][0-9]{0,4}[HMS]))$',
        ),
    ],
)


class WindowFrame(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: Annotated[int | None, Field(ge=1, le=1000000)] = None
    range: Annotated[
        str | None, Field(examples=['7 days'], pattern='^[1-9][0-9]{0,4} (second|minute|hour|day|week)s?$')
    ] = None
    min_rows: Annotated[int, Field(description='With fewer values the answer is null.', ge=1, le=1000000)] = 1


WindowFunction = TypeAliasType(
    "WindowFunction",
    Annotated[
        Literal['row_number', 'rank', 'dense_rank', 'ntile', 'lag', 'lead', 'cum_sum', 'cum_max', 'cum_min', 'cum_count', 'rolling_mean', 'rolling_sum', 'rolling_min', 'rolling_max', 'diff', 'pct_change', 'share_of_total'],
        Field(
            description='`row_number`, `rank` (with gaps), `dense_rank` and `ntile` (of `n` parts, the first of them longer) of the row; `lag` and\n`lead` the value `n` rows before or after; `cum_…` of all values so far; `rolling_…` of those in `frame`; `diff` and\n`pct_change` from the value `n` rows before, null after null and a change from 0; `share_of_total` the value by the sum\nof its partition, null when that is 0. `rank` and `dense_rank` need `order_by`, and give nulls a rank like any value.\n`cum_…` and `rolling_…` leave nulls out, and are null before the first value, but `cum_count` 0, which counts rows without\n`col`; the least and the greatest are looked for among numbers that are not NaN. Sums of integers are an `int64` (of\n`uint64`s a `uint64`) or fail the job, those of decimals stay exact; means, changes and shares are `float64`.\n'
        ),
    ],
)


class Sample(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    n: Annotated[int | None, Field(ge=1, le=100000000)] = None
    fraction: Annotated[float | None, Field(ge=0.0, le=1.0)] = None
    seed: Annotated[int, Field(ge=0, le=4294967295)] = 0


Columns = TypeAliasType("Columns", Annotated[list[ColumnName], Field(max_length=10000, min_length=1)])


class Trim(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['trim']
    cols: Columns | None = None


Marker = TypeAliasType("Marker", Annotated[str, Field(max_length=1024)])


class NullMarkers(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['null_markers']
    markers: Annotated[list[Marker], Field(max_length=1000, min_length=1)]
    cols: Columns | None = None


CastType = TypeAliasType("CastType", Literal['bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64', 'string', 'date', 'timestamp'])


class ParseDates(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['parse_dates']
    col: ColumnName
    format: Annotated[
        str,
        Field(
            description="In `strftime`'s letters. With hours the column becomes a timestamp, without them a date.",
            examples=['%d/%m/%Y'],
            max_length=128,
            min_length=2,
        ),
    ]


class FillNull(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['fill_null']
    value: Scalar | None = None
    strategy: Annotated[
        Literal['forward', 'backward', 'mean', 'median', 'zero'] | None,
        Field(
            description="The value before (`forward`) or after (`backward`) in the order of the rows; `mean` and `median` of the column's\nvalues, `zero` the number 0, of numbers only.\n"
        ),
    ] = None
    cols: Columns | None = None


class DropNulls(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['drop_nulls']
    cols: Columns | None = None


class Dedupe(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['dedupe']
    cols: Columns | None = None
    keep: Annotated[
        Literal['first', 'last', 'none'], Field(description='Which of the equal rows to keep.')
    ] = 'first'


NamesAdditionalProperty = TypeAliasType(
    "NamesAdditionalProperty", Annotated[str, Field(max_length=1024, min_length=1)]
)


class Rename(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['rename']
    names: Annotated[
        dict[str, NamesAdditionalProperty],
        Field(description='From the old name to the new one.', max_length=10000, min_length=1),
    ]


class Drop(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['drop']
    cols: Columns


Number = TypeAliasType(
    "Number", Annotated[int | float, Field(description='A number; a whole one is kept digit by digit.')]
)


class ReplaceValues(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['replace']
    cols: Columns
    map: Annotated[
        dict[str, Scalar],
        Field(description='From the old value, as text, to the new one.', max_length=10000, min_length=1),
    ]


class StripAccents(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['strip_accents']
    cols: Columns | None = None


class NormaliseNames(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['normalise_names']


class ProvenanceVersions(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    airpy: str
    polars: str
    pyarrow: str
    contract: Annotated[str, Field(description='The version of this document.')]


class ProvenanceCast(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    dataset: str
    column: str
    from_: Annotated[str, Field(alias='from', description='The type that is stored; `string` for text.')]
    to: Annotated[str, Field(description='The type that it was read as.')]
    form: Annotated[str | None, Field(description='How its text is written, where that is not plain.')] = None
    file: Annotated[str | None, Field(description='The first file of which it is so, where not of all.')] = (
        None
    )


class Replay(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    method: Literal['POST']
    path: Annotated[str, Field(examples=['/v1/py/query'])]
    body: Annotated[dict[str, Any], Field(description='A `QueryRequest`, or an `AnalyzeRequest`.')]


class QueryMetrics(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: Annotated[int, Field(description='Rows of the whole result.')]
    bytes: Annotated[int, Field(description='Bytes of the result file.')]
    execution_time_ms: Annotated[
        int,
        Field(
            description='From the first step to the last; of a remembered result, of the run that computed it.'
        ),
    ]
    cache_hit: Annotated[
        bool,
        Field(
            description='Whether the answer is remembered from an equal request over the same files in the same state. `Cache-Control:\nno-cache` on the request has it computed anew.\n'
        ),
    ]


AnalysisKind = TypeAliasType(
    "AnalysisKind",
    Annotated[
        Literal['eda', 'profile', 'validate', 'compare'],
        Field(
            description='`eda` finds issues and suggests charts; `profile` adds the metrics of every column; `validate` judges `options.rules` and\ngives a verdict; `compare` tells what has changed since the `baseline`.\n'
        ),
    ],
)


ResultToken = TypeAliasType(
    "ResultToken",
    Annotated[
        int, Field(description='The token of a query that has completed, whose result frame is meant.', ge=1)
    ],
)


FrameFormat = TypeAliasType(
    "FrameFormat",
    Annotated[Literal['arrow', 'parquet'], Field(description='`arrow` is an IPC stream or an IPC file.')],
)


AssociationMethod = TypeAliasType(
    "AssociationMethod",
    Annotated[
        Literal['pearson', 'spearman', 'kendall', 'cramers_v', 'theils_u', 'correlation_ratio'],
        Field(
            description='Between numbers or times: `pearson`, `spearman` (ranks, equal values by their mean rank) and `kendall` (tau-b). Between\ncategories: `cramers_v` (0 to 1, without correction for bias) and `theils_u` (the share of the uncertainty of `b` that `a`\ntakes away). Between a category `a` and a number `b`: `correlation_ratio` (eta, 0 to 1).\n'
        ),
    ],
)


class IssueThresholds(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    near_constant: Annotated[
        float, Field(description='`NEAR_CONSTANT`: share of the most frequent value.', ge=0.5, le=1.0)
    ] = 0.95
    high_cardinality: Annotated[
        float,
        Field(
            description='`HIGH_CARDINALITY`: distinct values of text by its values, of more than 50 distinct ones.',
            ge=0.0,
            le=1.0,
        ),
    ] = 0.5
    near_unique: Annotated[
        float,
        Field(
            description='`DUPLICATE_KEYS`: distinct values of integers or text by its values, from which a column passes for a key.',
            ge=0.5,
            le=1.0,
        ),
    ] = 0.95
    skew: Annotated[float, Field(description='`SKEWED`: absolute skewness.', ge=0.0)] = 2
    kurtosis: Annotated[float, Field(description='`HEAVY_TAILED`: excess kurtosis.', ge=0.0)] = 7
    zeros: Annotated[float, Field(description='`ZEROS`: share of zeros.', ge=0.0, le=1.0)] = 0.5
    negatives: Annotated[
        float,
        Field(
            description='`NEGATIVE_VALUES`: share of negative numbers up to which they are suspected; of more, they belong there.',
            ge=0.0,
            le=1.0,
        ),
    ] = 0.05
    imbalance: Annotated[
        float,
        Field(
            description='`IMBALANCED`: 1 less the entropy of 2 to 30 categories by the greatest that so many can have.',
            ge=0.0,
            le=1.0,
        ),
    ] = 0.5
    mixed_types: Annotated[
        float,
        Field(
            description='`MIXED_TYPES`: least share of numbers among text, and of text among numbers. With fewer of other text, they are\n`NUMBERS_AS_TEXT`, and dates `DATES_AS_TEXT`.\n',
            ge=0.0,
            le=0.5,
        ),
    ] = 0.05
    truncated: Annotated[
        float,
        Field(
            description='`TRUNCATED_TEXT`: share of values that are as long as the longest, of 20 characters or more.',
            ge=0.0,
            le=1.0,
        ),
    ] = 0.05
    seasonality: Annotated[
        float,
        Field(
            description='`SEASONAL`: autocorrelation at the period, once the trend is taken away.',
            ge=0.0,
            le=1.0,
        ),
    ] = 0.5
    personal: Annotated[
        float,
        Field(description='`PII_SUSPECTED`: share of values that look like personal data.', ge=0.0, le=1.0),
    ] = 0.01
    small_sample: Annotated[int, Field(description='`SMALL_SAMPLE`: fewer rows than that.', ge=0)] = 30
    ks: Annotated[
        float,
        Field(
            description='`compare`: the Kolmogorov-Smirnov statistic of a number, from which it has drifted.',
            ge=0.0,
            le=1.0,
        ),
    ] = 0.1
    js: Annotated[
        float, Field(description='`compare`: the Jensen-Shannon distance, to base 2.', ge=0.0, le=1.0)
    ] = 0.1
    psi: Annotated[float, Field(description='`compare`: the population stability index.', ge=0.0)] = 0.2
    missing_change: Annotated[
        float, Field(description="`compare`: the change of a column's share of nulls.", ge=0.0, le=1.0)
    ] = 0.05
    rows_change: Annotated[
        float,
        Field(description='`compare`: the change of the number of rows, by those of the baseline.', ge=0.0),
    ] = 0.5


OutlierMethod = TypeAliasType(
    "OutlierMethod",
    Annotated[
        Literal['iqr', 'zscore', 'mad'],
        Field(
            description='`iqr` below Q1 − 1.5 IQR or above Q3 + 1.5 IQR; `zscore` more than 3 standard deviations from the mean;\n`mad` more than 3.5 by the modified z-score, 0.6745 · (x − median) / MAD.\n'
        ),
    ],
)


RuleName = TypeAliasType(
    "RuleName",
    Annotated[
        str,
        Field(
            description='What to call the rule in the answer. Default, the rule and its column.',
            max_length=256,
            min_length=1,
        ),
    ],
)


Severity = TypeAliasType(
    "Severity",
    Annotated[
        Literal['info', 'warning', 'error'],
        Field(
            description='How bad it is. Of a rule that is not met: `error` fails the verdict, `warning` warns, `info` only tells.'
        ),
    ],
)


class Tolerance2(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: Annotated[int | None, Field(ge=0)] = None
    share: Annotated[float | None, Field(ge=0.0, le=1.0)] = None


Comparison = TypeAliasType("Comparison", Literal['=', '!=', '<', '<=', '>', '>='])


class TypeRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['type']
    col: ColumnName
    type: DataType
    name: RuleName | None = None
    severity: Severity = 'error'


class ColumnExistsRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['column_exists']
    col: ColumnName
    name: RuleName | None = None
    severity: Severity = 'error'


class ColumnsAreRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['columns_are']
    cols: Columns
    ordered: Annotated[bool, Field(description='Whether they stand in this order too.')] = False
    name: RuleName | None = None
    severity: Severity = 'error'


class Estimate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    metric: str
    method: Annotated[str, Field(description='How it was estimated.')]
    error: Annotated[
        float,
        Field(
            description='One standard error: of distinct values and duplicate rows relative to them; of quantiles in ranks, as a share of the values;\nof frequent values the greatest number of rows that a count may lack, as a share of the values.\n'
        ),
    ]


class MissingPattern(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    columns: Annotated[list[ColumnName], Field(description='The columns that are null, and no others.')]
    rows: int
    share: float


class Association(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    a: ColumnName
    b: ColumnName
    method: AssociationMethod
    value: float
    rows: Annotated[int, Field(description='Rows that it was measured on, in which neither is null.')]


class SeriesMetrics(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    time: ColumnName
    column: ColumnName
    group: Annotated[
        dict[str, Any] | None,
        Field(description='The values of the columns that name the series, where there are several.'),
    ] = None
    points: int
    step_s: Annotated[float, Field(description='The usual distance of two points, in seconds.')]
    period: Annotated[
        int | None, Field(description='The points after which it repeats itself; null when it does not.')
    ] = None
    seasonality: Annotated[
        float | None,
        Field(description='The autocorrelation at the period, of what is left without the linear trend.'),
    ] = None
    adf: Annotated[
        float | None,
        Field(
            description='The augmented Dickey-Fuller statistic, with a constant; null where there are too few points.'
        ),
    ] = None
    adf_critical: Annotated[
        float | None,
        Field(
            description='Its critical value at 5 %, by MacKinnon (2010); below it, a unit root is refuted.'
        ),
    ] = None
    stationary: bool | None = None


Correlation = TypeAliasType(
    "Correlation",
    Annotated[
        list[str | float],
        Field(
            description='Two columns and their correlation.',
            examples=[['kwh', 'cost', 0.86]],
            max_length=3,
            min_length=3,
        ),
    ],
)


class Quantiles(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    p01: float
    p05: float
    p25: float
    p50: float
    p75: float
    p95: float
    p99: float


class OutlierBounds(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    low: float
    high: float
    method: OutlierMethod


class Histogram(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    edges: Annotated[list[Scalar], Field(description='One more than there are bins; of times, RFC 3339.')]
    counts: list[int]


ValueOrder = TypeAliasType(
    "ValueOrder",
    Annotated[
        Literal['strictly_ascending', 'ascending', 'constant', 'descending', 'strictly_descending', 'none'],
        Field(description='How the values follow one another in the order of the rows, nulls passed over.'),
    ],
)


class PatternCount(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    pattern: str
    count: int
    share: float


TextKind = TypeAliasType("TextKind", Literal['email', 'url', 'uuid', 'ip', 'json', 'date', 'number', 'leading_zeros', 'phone', 'credit_card', 'iban', 'ssn'])


class TimeMetrics(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    range_s: Annotated[float | None, Field(description='From the first to the last, in seconds.')]
    finest: Annotated[
        str | None,
        Field(description='The coarsest unit that every value is whole in, from `year` to `nanosecond`.'),
    ]
    midnight_share: Annotated[float | None, Field(description='Share of the values that are midnights.')]
    timezone: str | None = None
    step_s: Annotated[
        float | None, Field(description='The most frequent distance of two times that follow one another.')
    ] = None
    gaps: Annotated[int | None, Field(description='Distances that are greater than that.')] = None
    duplicates: Annotated[int | None, Field(description='Values that were there before.')] = None


NullableScalar = TypeAliasType(
    "NullableScalar", Annotated[str | int | float | bool | None, Field(description='One value, or null.')]
)


class IssueBounds(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    low: Scalar | None = None
    high: Scalar | None = None


class ExampleRow(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    row: Annotated[int, Field(description='Its number in the frame, from 1.')]
    values: Annotated[
        Row, Field(description='Of a frame of more than 50 columns, those of the issue and the first ones.')
    ]


IssueCode = TypeAliasType("IssueCode", Literal['OUTLIERS', 'HIGH_NULL_RATIO', 'ALL_NULL', 'CONSTANT', 'NEAR_CONSTANT', 'HIGH_CARDINALITY', 'UNIQUE', 'DUPLICATE_ROWS', 'DUPLICATE_KEYS', 'HIGH_CORRELATION', 'SKEWED', 'HEAVY_TAILED', 'ZEROS', 'INFINITE_VALUES', 'NEGATIVE_VALUES', 'IMBALANCED', 'MIXED_TYPES', 'NUMBERS_AS_TEXT', 'DATES_AS_TEXT', 'LEADING_ZEROS', 'WHITESPACE', 'BLANK_STRINGS', 'CASE_VARIANTS', 'NULL_MARKERS', 'ENCODING_DAMAGE', 'TIME_GAPS', 'DUPLICATE_TIMES', 'OUT_OF_ORDER', 'FUTURE_DATES', 'EPOCH_DATES', 'SEASONAL', 'NON_STATIONARY', 'PII_SUSPECTED', 'TRUNCATED_TEXT', 'SMALL_SAMPLE', 'EMPTY_FRAME'])


ChartType = TypeAliasType("ChartType", Literal['line', 'area', 'bar', 'histogram', 'box', 'scatter', 'heatmap', 'pie'])


Verdict = TypeAliasType("Verdict", Literal['pass', 'warn', 'fail'])


ComparisonVerdict = TypeAliasType(
    "ComparisonVerdict",
    Annotated[
        Literal['same', 'drifted', 'breaking'],
        Field(
            description='`breaking` when a change of the schema or of a key breaks who relies on it, else `drifted` when anything has drifted or\nanother column or key has changed, else `same`.\n'
        ),
    ],
)


class RowsChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    before: int
    after: int
    change: Annotated[float | None, Field(description='By the rows before; null when there were none.')]
    drifted: bool


ColumnChangeKind = TypeAliasType("ColumnChangeKind", Literal['column_added', 'column_removed', 'type_changed', 'nulls_appeared', 'nulls_gone', 'moved'])


DriftStatistic = TypeAliasType(
    "DriftStatistic",
    Annotated[
        Literal['ks', 'js', 'psi', 'missing'],
        Field(
            description="`ks`: the greatest distance of the two cumulative distributions of a number or a time. `js`: the Jensen-Shannon distance to\nbase 2, of categories that are all known, or of numbers and times in the baseline's tenths, where NaN is a part of its own.\n`psi`: the population stability index of the same parts, an empty one counted as a ten-thousandth. `missing`: the change of\nthe share of nulls.\n"
        ),
    ],
)


class KeyChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    columns: Columns
    before: Annotated[bool, Field(description='Whether they named every row of the baseline.')]
    after: bool
    breaking: bool


class Schema(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    fields: list[FieldModel]


class Health(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    status: Literal['ok']
    versions: Versions
    memory_usage_mb: Annotated[int, Field(description='Resident memory of the server process, in MiB.')]
    workers_active: Annotated[
        int,
        Field(description='Worker slots that reported in the last 15 seconds; each runs one job at a time.'),
    ]
    active_jobs: Annotated[int, Field(description='Jobs that have not ended, waiting ones included.')]
    next_token: int


class Step(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    step: StepName
    message: str
    timestamp: AwareDatetime
    duration_ms: Annotated[int, Field(description='Milliseconds since the job first began to run.', ge=0)]
    attempt: Annotated[int, Field(description='Which attempt at the job took this step.', ge=1)]


class JobWork(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    done: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=0)]
    unit: WorkUnit


class JobProgress(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    progress: Annotated[float | None, Field(ge=0.0, le=1.0)]
    work: JobWork | None


class Limits(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    caps: Caps
    queue: QueueState
    jobs: Annotated[list[JobLoad], Field(description='One entry for each job type.')]
    accepting: Annotated[bool, Field(description='Whether a job would be accepted now.')]
    refused: Annotated[
        list[ErrorReason],
        Field(
            description='The `details.reason` with which a job would be refused now; empty while jobs are accepted.'
        ),
    ]


JsonPatch = TypeAliasType("JsonPatch", Annotated[list[JsonPatchOperation], Field(min_length=1)])


class ReadOptions(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    encoding: Annotated[
        str | None,
        Field(
            description='The encoding of text files, by the name Python knows it by.',
            examples=['cp1252'],
            max_length=40,
            min_length=1,
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        Field(
            description='What stands between the values of a CSV file.',
            examples=[';'],
            max_length=8,
            min_length=1,
        ),
    ] = None
    quote: Annotated[
        str | None,
        Field(description='What stands around values of a CSV file; empty for nothing.', max_length=1),
    ] = None
    escape: Annotated[
        str | None,
        Field(
            description='What stands before a quote inside of quotes; empty for a second quote.', max_length=1
        ),
    ] = None
    comment: Annotated[
        str | None,
        Field(description='Lines of a CSV file that begin so are left out; empty for none.', max_length=8),
    ] = None
    skip: Annotated[
        int | None,
        Field(
            description='Lines of a CSV file to leave out before its header, or before its rows when there is none.',
            ge=0,
            le=1000000,
        ),
    ] = None
    header: Annotated[
        bool | None,
        Field(
            description='Whether a CSV file names its columns; without, they are `column_1`, `column_2` and so on.'
        ),
    ] = None
    types: Annotated[
        Literal['string'] | dict[str, CastType] | None,
        Field(
            description='`string` reads every value as it is written, and nothing is taken for null but what is not there. By column,\nthe type that it is read as; the others are found out.\n'
        ),
    ] = None
    null_markers: Annotated[
        list[NullMarker] | None,
        Field(
            description='What stands for null in text files, and nothing else does; empty for nothing but a value that is not there.',
            max_length=100,
        ),
    ] = None
    decimal: Annotated[
        Literal['.', ','] | None, Field(description='What stands before the fraction of a number.')
    ] = None
    thousands: Annotated[
        Literal['.', ',', ' ', "'"] | None,
        Field(description='What stands between the thousands of a number.'),
    ] = None
    date_format: Annotated[
        str | None,
        Field(
            description='How dates and timestamps are written, in the letters of `strftime`; `%d/%m/%Y` puts the day first.',
            examples=['%d/%m/%Y'],
            max_length=100,
            min_length=2,
        ),
    ] = None
    infer_rows: Annotated[
        int | None,
        Field(
            description='How many rows decide the types of text files; 0 for every row. Default `PY_INFER_ROWS`.',
            ge=0,
            le=1000000000,
        ),
    ] = None
    on_error: OnError | None = 'fail'


class Sources(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    files: Annotated[
        list[Source], Field(description='The first of them, at most 100; a file that is read twice is one.')
    ]
    total_files: int
    total_size_bytes: int
    fingerprint: Annotated[
        str, Field(description='Of all files together; another one when any of them has changed.')
    ]


class Fault(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    file: str
    row: Annotated[int | None, Field(description='The row of the file, from 1, the header not counted.')] = (
        None
    )
    line: Annotated[int | None, Field(description='The line of the file, from 1, where the row begins.')] = (
        None
    )
    byte: Annotated[
        int | None,
        Field(description='The byte of the file, from 0, where the row begins, or the byte that is wrong.'),
    ] = None
    column: str | None = None
    kind: FaultKind
    text: Annotated[str | None, Field(description='What stands there, at most 200 letters of it.')] = None


class TypeCandidate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    type: DataType
    form: Annotated[
        str | None, Field(description='How values would be written, where that is not plain.')
    ] = None
    accepted: Annotated[int, Field(description='How many of the values it takes.')]
    counter_examples: Annotated[
        list[CounterExample], Field(description='Values that it does not take, at most 3.')
    ]


class SchemaEvolution(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    changes: Annotated[list[SchemaChange], Field(description='At most 1,000.')]
    files_compared: int
    total_changes: int


class DatasetFile(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    path: str
    format: FileFormat
    size_bytes: int
    modified: AwareDatetime
    estimated_rows: Annotated[
        int | None,
        Field(
            description='Exact for Parquet, estimated for text; null for a file that cannot be read, one in the cloud, and a compressed\none whose first block does not hold all of it.\n'
        ),
    ]


class InferSchemaRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    datasource_id: DatasourceId
    uri: DatasetPath
    sample_files: Annotated[
        int,
        Field(
            description='How many files of the data set to read rows from, spread evenly over it.',
            ge=1,
            le=1000,
        ),
    ] = 3
    infer_rows: Annotated[
        int | None,
        Field(
            description='How many rows to read in all; 0 reads every row. Default `PY_INFER_ROWS`.',
            ge=0,
            le=1000000000,
        ),
    ] = None
    read: ReadOptions | None = None


class PreviewRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    datasource_id: DatasourceId
    path: DatasetPath
    limit: Annotated[int, Field(ge=1, le=1000000)] = 100
    read: ReadOptions | None = None


class Preflight(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    schema_: Annotated[Schema, Field(alias='schema')]
    datasets: Annotated[
        list[PlannedDataset],
        Field(description="The plan's data set, then those that it joins and unites with."),
    ]
    estimate: PlanEstimate
    verdict: Annotated[
        Literal['ok', 'refused'],
        Field(description='Whether the query would be run, as far as the estimate tells.'),
    ]
    breaks: Annotated[
        list[BrokenCap], Field(description='The caps that it would break; none when the verdict is `ok`.')
    ]
    explanation: Annotated[
        list[ExplainedStage],
        Field(description='The plan in words, stage by stage, in the order in which they run.'),
    ]


class RowsFilter(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    are: RowRelation
    cols: Annotated[
        Columns, Field(description='The columns meant; one alone but for `repeated` and `shared`.')
    ]
    by: Annotated[
        Columns | None,
        Field(description='Rows are compared with those of the same values in these columns only.'),
    ] = None
    every: Annotated[
        TimeGrain | None,
        Field(description='The greatest distance that is no gap; needed by `after_gap`, and only there.'),
    ] = None


class RelativeTime(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    ago: Annotated[
        str | None,
        Field(
            examples=['7 days'],
            pattern='^[1-9][0-9]{0,4} (second|minute|hour|day|week|month|quarter|year)s?$',
        ),
    ] = None
    start_of: TimeUnit | None = None


Scalars = TypeAliasType("Scalars", Annotated[list[Scalar], Field(max_length=100000)])


class Order(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    col: ColumnName
    dir: SortDirection = 'asc'
    nulls: NullsPosition = 'last'


class Arithmetic(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['add', 'sub', 'mul', 'div', 'mod', 'pow']
    args: Operands


class NumberFunction(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['abs', 'round', 'floor', 'ceil', 'log', 'exp', 'sqrt']
    col: ColumnName
    digits: Annotated[int | None, Field(ge=0, le=15)] = None
    base: Annotated[float | None, Field(gt=0.0)] = None


class DatePart(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'weekday', 'date']
    col: ColumnName


class DateDiff(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['date_diff']
    start: Operand
    end: Operand
    unit: TimeUnit


class TextFunction(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['lower', 'upper', 'trim', 'length']
    col: ColumnName


class Substring(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['substring']
    col: ColumnName
    start: Annotated[int, Field(ge=-1000000, le=1000000)]
    length: Annotated[int | None, Field(ge=0, le=1000000)] = None


class Concat(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['concat']
    args: Operands
    sep: Annotated[str, Field(max_length=64)] = ''


class ReplaceText(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['replace']
    col: ColumnName
    old: Annotated[str, Field(max_length=1024, min_length=1)]
    new: Annotated[str, Field(max_length=1024)]
    regex: bool = False


class SplitPart(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['split_part']
    col: ColumnName
    sep: Annotated[str, Field(max_length=64, min_length=1)]
    part: Annotated[int, Field(ge=-10000, le=10000)]


class Coalesce(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['coalesce']
    args: Operands


class CastColumn(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['cast']
    col: ColumnName
    type: CastType


class Bin(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['bin']
    col: ColumnName
    width: Annotated[float | None, Field(gt=0.0)] = None
    edges: Annotated[list[float] | None, Field(max_length=1000, min_length=2)] = None


class Resample(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    every: TimeGrain
    fill: Annotated[
        Literal['none', 'null', 'zero', 'previous', 'next', 'linear'],
        Field(
            description='What empty buckets hold: none of them is there (`none`); null, and 0 for counts; 0, of numbers and durations alone;\nthe aggregates of the bucket before or after, null where they are null; or what lies on a straight line over\ntime between those, of numbers alone, as `float64`. Needs `aggs`, but for `none`.\n'
        ),
    ] = 'none'
    closed: Annotated[
        Literal['left', 'right'],
        Field(description='Which end of a bucket belongs to it; of dates, whole days.'),
    ] = 'left'
    label: Annotated[Literal['left', 'right'], Field(description='Which end of a bucket names it.')] = 'left'
    origin: Annotated[str | None, Field(description='As `Plan.origin`.', max_length=64, min_length=1)] = None


class Window(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: WindowFunction
    col: ColumnName | None = None
    partition_by: Columns | None = None
    order_by: Annotated[list[Order] | None, Field(max_length=16, min_length=1)] = None
    n: Annotated[
        int | None,
        Field(
            description='How many rows off `lag`, `lead`, `diff` and `pct_change` look (1); how many parts `ntile` makes.',
            ge=1,
            le=1000000,
        ),
    ] = None
    frame: WindowFrame | None = None


class Pivot(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    on: ColumnName
    index: Columns
    values: ColumnName
    fn: Literal['count', 'sum', 'mean', 'min', 'max', 'median', 'first', 'last'] = 'first'
    max_columns: Annotated[
        int, Field(description='A job whose `on` has more values fails.', ge=1, le=10000)
    ] = 1000


class Unpivot(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    on: Columns | None = None
    index: Columns | None = None
    names_to: Annotated[str, Field(max_length=1024, min_length=1)] = 'variable'
    values_to: Annotated[str, Field(max_length=1024, min_length=1)] = 'value'


class TopN(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    n: Annotated[int, Field(ge=1, le=1000000)]
    by: ColumnName
    dir: SortDirection = 'desc'
    partition_by: Columns | None = None
    other: bool = False


class Cast(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['cast']
    col: ColumnName
    type: CastType


class Clip(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    op: Literal['clip']
    cols: Columns | None = None
    min: Number | None = None
    max: Number | None = None


class RowPage(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: list[Row]
    schema_: Annotated[Schema, Field(alias='schema')]
    offset: Annotated[int, Field(description='How many rows come before the page.')]
    limit: Annotated[int, Field(description='The most rows that the page could have.')]
    total_rows: Annotated[int, Field(description='Rows of the whole result.')]
    next: Annotated[str | None, Field(description='The next page; null when this is the last.')]


class FrameRef(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    type: FrameFormat
    data: Annotated[str, Field(description='The frame in standard base64, with padding.', min_length=1)]


class ValueCount(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    value: NullableScalar
    count: int
    share: Annotated[float, Field(description='Of the values that are not null.')]


class KindCount(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    kind: TextKind
    count: int
    share: Annotated[float, Field(description='Of the values that were looked at.')]


class ColumnChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    kind: ColumnChangeKind
    column: ColumnName
    before: str | None = None
    after: str | None = None
    breaking: Annotated[
        bool,
        Field(
            description='Whether who reads the column as before may fail: it is gone, it may be null now, its place is another, or its type does not hold all\nvalues of the former one.\n'
        ),
    ]
    detail: str


class DriftTest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    statistic: DriftStatistic
    value: float
    threshold: float
    drifted: Annotated[
        bool,
        Field(
            description='Whether the value is at or beyond the threshold, and not 0; of `ks`, also whether `p_value` is less than 0.05.'
        ),
    ]
    p_value: Annotated[float | None, Field(description='Of `ks`, by its asymptotic distribution.')] = None


Suggestion = TypeAliasType(
    "Suggestion",
    Annotated[
        NearestAnswers | JsonPatch,
        Field(
            description='The nearest right answers, best first; or a change of the request that was tried and works, as a JSON Patch (RFC 6902).\n'
        ),
    ],
)


class Faults(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows_skipped: Annotated[int, Field(description='Rows that were left out, as `on_error` asked.')]
    values_nulled: Annotated[int, Field(description='Values that are null instead, as `on_error` asked.')]
    rows_ragged: Annotated[
        int,
        Field(
            description='Rows with more or fewer values than the header, where that was seen: what is missing is null, and what is too\nmuch stands in columns of its own.\n'
        ),
    ]
    examples: Annotated[list[Fault], Field(description='The first of them, at most 10.')]


class ColumnEvidence(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    name: str
    type: DataType
    form: Annotated[
        str | None,
        Field(
            description='How its values are written, where that is not plain, as in `%d/%m/%Y` or `1.234,56`.'
        ),
    ] = None
    note: Annotated[
        str | None, Field(description='What a person would want to know, as in "leading zeros".')
    ] = None
    values: Annotated[int, Field(description='Values looked at, nulls not counted.')]
    nulls: Annotated[int, Field(description='Values that are not there, or that a null marker stands for.')]
    null_markers: Annotated[dict[str, int], Field(description='What stood for null, and how often.')]
    candidates: Annotated[
        list[TypeCandidate], Field(description='The types that were tried, the chosen one first.')
    ]
    confidence: Annotated[
        float,
        Field(
            description='How sure the type is: 1 when every row was looked at and one type alone takes all values, less for a sample, and\nfor forms that can be read in two ways.\n',
            ge=0.0,
            le=1.0,
        ),
    ]
    scan: Annotated[Literal['full', 'sample'], Field(description='Whether every row was looked at.')]


class DiscoverResult(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    files: list[DatasetFile]
    total_files: Annotated[int, Field(description='Files in the list.')]
    total_size_bytes: int
    truncated: Annotated[bool, Field(description='Whether there are more files than `max_files`.')]
    unreadable: Annotated[
        list[str] | None,
        Field(
            description='Sub-directories that the service may not read, and whose files are not here; at most 100 of them.'
        ),
    ] = None


FilterValue = TypeAliasType(
    "FilterValue",
    Annotated[
        Scalar | Scalars | RelativeTime,
        Field(description='What to compare with; a list for `between`, `in` and `not_in`.'),
    ],
)


CleanStep = TypeAliasType(
    "CleanStep",
    Annotated[
        Trim | NullMarkers | Cast | ParseDates | FillNull | DropNulls | Dedupe | Rename | Drop | Clip | ReplaceValues | StripAccents | NormaliseNames,
        Field(
            description='One cleaning operation. Without `cols` it applies to every column it can.',
            discriminator='op',
        ),
    ],
)


class TextMetrics(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    min_length: Annotated[int, Field(description='In characters.')]
    mean_length: float
    max_length: int
    blank: Annotated[int, Field(description='Values without a character, or with white space alone.')]
    whitespace: Annotated[
        int, Field(description='Values that begin or end with white space, and are not blank.')
    ]
    patterns: Annotated[
        list[PatternCount],
        Field(
            description='The most frequent shapes, at most 5, of the row sample: letters are `a` and `A`, digits `9`, several alike one with a `+`.\n'
        ),
    ]
    kinds: Annotated[list[KindCount], Field(description='What the values look like, of the row sample.')]


class ColumnDrift(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    column: ColumnName
    type: DataType
    drifted: bool
    tests: list[DriftTest]
    new_categories: Annotated[
        list[ValueCount] | None,
        Field(
            description='Values that were not there before, at most 20; of columns all of whose values are known.'
        ),
    ] = None
    gone_categories: Annotated[
        list[ValueCount] | None, Field(description='Values that are no longer there, at most 20.')
    ] = None


class ErrorDetails(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    field: Annotated[
        str | None, Field(description='What part of the request is meant, as in `plan.filters[0].op`.')
    ]
    constraint: Annotated[str | None, Field(description='What it had to be.')]
    reason: ErrorReason
    retryable: Annotated[bool, Field(description='Whether the same request may succeed later.')]
    suggestion: Suggestion | None = None
    fault: Fault | None = None
    violations: Annotated[
        list[Violation] | None,
        Field(description='Everything that breaks the contract, when that is more than one thing.'),
    ] = None
    post_mortem: PostMortem | None = None
    estimate: PlanEstimate | None = None


class Reading(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    sources: Sources
    texts: Annotated[
        list[TextForm],
        Field(description='How text files are written, those written alike together; at most 100.'),
    ]
    faults: Faults
    notes: Annotated[
        list[ReadingNote],
        Field(
            description='What a person would want to know beside: a column that is text because it holds values of different kinds, a\nfile that is read in another way than others; at most 100.\n'
        ),
    ]


class InferSchemaResult(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    schema_: Annotated[Schema, Field(alias='schema')]
    stats: SchemaStats
    sample_preview: Annotated[list[Row], Field(description='The first rows, at most 10.')]
    columns: Annotated[
        list[ColumnEvidence],
        Field(description='By column, why it has its type; empty for Parquet, whose files say their types.'),
    ]
    evolution: SchemaEvolution
    reading: Reading


class Preview(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: list[Row]
    schema_: Annotated[Schema, Field(alias='schema')]
    stats: PreviewStats
    reading: Reading


class Filter(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    col: ColumnName | None = None
    op: FilterOperator | None = None
    val: FilterValue | None = None
    col2: ColumnName | None = None
    closed: Annotated[
        ClosedEnds | None, Field(description='Which ends `between` includes; both when it is not given.')
    ] = None
    all: Annotated[list[Filter] | None, Field(max_length=1000, min_length=1)] = None
    any: Annotated[list[Filter] | None, Field(max_length=1000, min_length=1)] = None
    not_: Annotated[Filter | None, Field(alias='not')] = None
    rows: RowsFilter | None = None
    among: Annotated[
        list[Filter] | None,
        Field(
            description='Only beside `rows`: the rows in which all of these hold are compared with one another, and no others; `rows` is false of\nthose. All rows are, when it is not given.\n',
            max_length=1000,
        ),
    ] = None


class Aggregation(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    col: Annotated[
        str | None, Field(description='The column. `count` may leave it out, or say `*`.', max_length=1024)
    ] = None
    fn: AggregateFunction
    as_: Annotated[
        str | None,
        Field(alias='as', description="The aggregate's name in the answer.", max_length=1024, min_length=1),
    ] = None
    filter: Annotated[
        Filter | None, Field(description='Only the rows in which this is true are aggregated.')
    ] = None
    q: Annotated[
        float | None,
        Field(
            description='Which `quantile`, 0 to 1; between two values by linear interpolation.',
            ge=0.0,
            le=1.0,
        ),
    ] = None
    ddof: Annotated[
        int | None,
        Field(
            description="Delta degrees of freedom of `std`, `var` and `stderr`; 1, a sample's, when it is not given.",
            ge=0,
            le=1000,
        ),
    ] = None
    by: Annotated[
        str | None,
        Field(
            description='The column that orders rows for `first` and `last` (`time_col`, or the only date or timestamp column, when it is\nnot given), and whose least or greatest value `arg_min` and `arg_max` look for. Rows in which it is equal keep\ntheir order; those in which it is null are taken only where there are no others.\n',
            max_length=1024,
        ),
    ] = None
    col2: Annotated[str | None, Field(description='The other column of `corr`.', max_length=1024)] = None
    weight: Annotated[
        str | None, Field(description='The column of weights of `weighted_mean`.', max_length=1024)
    ] = None
    max: Annotated[
        int | None,
        Field(
            description='How many values `list` and `join_text` take at most; 1,000 when it is not given.',
            ge=1,
            le=100000,
        ),
    ] = None
    sep: Annotated[
        str | None,
        Field(description='What `join_text` puts between values; `, ` when it is not given.', max_length=64),
    ] = None


class WhenThen(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    when: Filter
    then: Operand


CleanSteps = TypeAliasType(
    "CleanSteps",
    Annotated[
        list[CleanStep],
        Field(description='What to do to the rows before anything else, in order.', max_length=100),
    ],
)


class ColumnMetrics(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    name: ColumnName
    type: DataType
    count: Annotated[int, Field(description='Values that are not null.')]
    missing: Annotated[int, Field(description='Nulls.')]
    unique: Annotated[int | None, Field(description='Distinct values, null not counted; NaN is one.')]
    min: NullableScalar
    max: NullableScalar
    mean: Annotated[float | None, Field(...)]
    std: Annotated[float | None, Field(description='Of a sample (n − 1).')]
    median: Annotated[float | None, Field(...)]
    q1: Annotated[float | None, Field(description='First quartile, by linear interpolation.')]
    q3: Annotated[float | None, Field(description='Third quartile, by linear interpolation.')]
    zeros: Annotated[int | None, Field(...)]
    outliers: Annotated[
        int | None,
        Field(
            description='Values beyond the bounds of `outlier_method`; null when outliers were not asked for.'
        ),
    ]
    variance: Annotated[float | None, Field(description='Of a sample (n − 1).')] = None
    skew: Annotated[float | None, Field(description='The third standardised moment, of the population.')] = (
        None
    )
    kurtosis: Annotated[
        float | None, Field(description='The fourth standardised moment, of the population, less 3.')
    ] = None
    sum: float | None = None
    negatives: int | None = None
    infinite: int | None = None
    nan: int | None = None
    iqr: float | None = None
    mad: Annotated[float | None, Field(description='Median of the absolute deviations from the median.')] = (
        None
    )
    quantiles: Quantiles | None = None
    outlier_bounds: OutlierBounds | None = None
    histogram: Histogram | None = None
    order: ValueOrder | None = None
    is_constant: Annotated[bool | None, Field(description='Whether there is one value and no null.')] = None
    is_unique: Annotated[bool | None, Field(description='Whether no value occurs twice.')] = None
    top_values: Annotated[
        list[ValueCount] | None, Field(description='The most frequent values, at most 10.')
    ] = None
    bottom_values: Annotated[
        list[ValueCount] | None,
        Field(description='The least frequent values, at most 5; where all are known.'),
    ] = None
    text: TextMetrics | None = None
    time: TimeMetrics | None = None
    personal: Annotated[list[KindCount] | None, Field(description='Suspected personal data, by kind.')] = None
    estimates: list[Estimate] | None = None


class FrameComparison(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    verdict: ComparisonVerdict
    rows: RowsChange
    schema_changes: list[ColumnChange]
    drift: Annotated[
        list[ColumnDrift], Field(description='Every column that both have, those that drifted first.')
    ]
    keys: Annotated[
        list[KeyChange], Field(description='Candidate keys of the one that are none of the other.')
    ]


class JobError(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    code: ErrorCode
    message: Annotated[str, Field(description='For a person to read.')]
    details: ErrorDetails
    request_id: str


class Error(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    code: ErrorCode
    message: Annotated[str, Field(description='For a person to read.')]
    details: ErrorDetails
    request_id: str


Filters = TypeAliasType(
    "Filters",
    Annotated[
        list[Filter],
        Field(
            description='Rows to keep: all of these hold. Three-valued logic as in SQL: null matches nothing but `is_null` and\n`is_distinct_from`, and is not matched by the opposite (`not`, `not_in`, `not_like` …) either.\n',
            max_length=1000,
        ),
    ],
)


class Join(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    dataset: Annotated[str, Field(description='As `Plan.dataset`.', max_length=4096, min_length=1)]
    how: JoinKind = 'inner'
    on: Annotated[list[ColumnName] | None, Field(max_length=16, min_length=1)] = None
    left_on: Annotated[list[ColumnName] | None, Field(max_length=16, min_length=1)] = None
    right_on: Annotated[list[ColumnName] | None, Field(max_length=16, min_length=1)] = None
    suffix: Annotated[str, Field(max_length=64, min_length=1)] = '_right'
    by: Annotated[
        list[ColumnName] | None,
        Field(
            description='For `asof`, columns that must be equal, called the same on both sides.',
            max_length=16,
            min_length=1,
        ),
    ] = None
    strategy: Annotated[
        AsofStrategy | None,
        Field(
            description='For `asof`, where the nearest row is looked for; `backward` when it is not given.'
        ),
    ] = None
    tolerance: Annotated[
        Tolerance | Tolerance1 | None,
        Field(
            description='For `asof`, how far off a match may be: a duration of one unit (`15 minutes`) between times, a number between\nnumbers. Any distance when it is not given.\n'
        ),
    ] = None
    validate_: Annotated[
        JoinCardinality | None,
        Field(
            alias='validate',
            description="How often a key may occur on each side, after the joined data set's own `filters` and before the plan's; null is no key.\nA job whose data breaks it fails, and names a key. Not for `cross` and `asof`.\n",
        ),
    ] = None
    clean: CleanSteps | None = None
    filters: Filters | None = None
    groupby: Annotated[
        Columns | None,
        Field(
            description='Columns to group the other data set by, after its `filters` and before it is joined: a total beside each row, or only\nrows whose group passes `having`.\n'
        ),
    ] = None
    aggs: Annotated[
        list[Aggregation] | None,
        Field(description='Aggregates of each of its groups.', max_length=1000, min_length=1),
    ] = None
    having: Annotated[
        Filters | None, Field(description='Which of its groups to join, by their keys and aggregates.')
    ] = None
    select: Columns | None = None
    read: ReadOptions | None = None


class UnionedDataset(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    dataset: Annotated[str, Field(description='As `Plan.dataset`.', max_length=4096, min_length=1)]
    clean: CleanSteps | None = None
    filters: Filters | None = None
    select: Columns | None = None
    read: ReadOptions | None = None


class Case(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    as_: Annotated[NewName, Field(alias='as')]
    fn: Literal['case']
    cases: Annotated[list[WhenThen], Field(max_length=1000, min_length=1)]
    else_: Annotated[Operand | None, Field(alias='else')] = None


class NotNullRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['not_null']
    col: ColumnName
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class UniqueRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['unique']
    cols: Columns
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class InSetRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['in_set']
    col: ColumnName
    values: Scalars
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class NotInSetRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['not_in_set']
    col: ColumnName
    values: Scalars
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class InRangeRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['in_range']
    col: ColumnName
    min: Scalar | None = None
    max: Scalar | None = None
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class MatchesRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['matches']
    col: ColumnName
    pattern: Annotated[str, Field(max_length=1000, min_length=1)]
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class LengthRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['length_between']
    col: ColumnName
    min: Annotated[int | None, Field(ge=0, le=10000)] = None
    max: Annotated[int | None, Field(ge=0, le=10000)] = None
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class IncreasingRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['increasing']
    col: ColumnName
    strict: Annotated[bool, Field(description='Whether a value may not equal the one before it either.')] = (
        False
    )
    by: Columns | None = None
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class DecreasingRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['decreasing']
    col: ColumnName
    strict: Annotated[bool, Field(description='Whether a value may not equal the one before it either.')] = (
        False
    )
    by: Columns | None = None
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class RowCountRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['row_count_between']
    min: Annotated[int | None, Field(ge=0)] = None
    max: Annotated[int | None, Field(ge=0)] = None
    name: RuleName | None = None
    severity: Severity = 'error'
    filter: Filters | None = None


class MeanRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['mean_between']
    col: ColumnName
    min: float | None = None
    max: float | None = None
    name: RuleName | None = None
    severity: Severity = 'error'
    filter: Filters | None = None


class SumRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['sum_between']
    col: ColumnName
    min: float | None = None
    max: float | None = None
    name: RuleName | None = None
    severity: Severity = 'error'
    filter: Filters | None = None


class QuantileRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['quantile_between']
    col: ColumnName
    q: Annotated[float, Field(ge=0.0, le=1.0)]
    min: float | None = None
    max: float | None = None
    name: RuleName | None = None
    severity: Severity = 'error'
    filter: Filters | None = None


class NullRatioRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['null_ratio_below']
    col: ColumnName
    max: Annotated[float, Field(ge=0.0, le=1.0)]
    name: RuleName | None = None
    severity: Severity = 'error'
    filter: Filters | None = None


class DistinctRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['distinct_between']
    col: ColumnName
    min: Annotated[int | None, Field(ge=0)] = None
    max: Annotated[int | None, Field(ge=0)] = None
    name: RuleName | None = None
    severity: Severity = 'error'
    filter: Filters | None = None


class ForeignKeyRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['foreign_key']
    cols: Columns
    dataset: DatasetPath
    dataset_cols: Annotated[
        Columns | None,
        Field(
            description='The columns there, in the same order; those of the same names when it is not given.'
        ),
    ] = None
    datasource_id: DatasourceId | None = None
    read: ReadOptions | None = None
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class FreshRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['fresher_than']
    col: ColumnName
    age: TimeGrain
    name: RuleName | None = None
    severity: Severity = 'error'
    filter: Filters | None = None


class NoGapsRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['no_gaps']
    col: ColumnName
    every: TimeGrain
    by: Columns | None = None
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class CompareColumnsRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['compare_columns']
    col: ColumnName
    op: Comparison
    col2: ColumnName
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class SatisfiesRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Literal['satisfies']
    condition: Filter
    name: RuleName | None = None
    severity: Severity = 'error'
    tolerance: Tolerance2 | None = None
    warn_within: Tolerance2 | None = None
    filter: Filters | None = None


class FrameMetrics(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: int
    columns: int
    memory_usage_mb: Annotated[float, Field(description='Size of the frame in memory, in MiB.')]
    duplicate_rows: Annotated[
        int | None,
        Field(
            description='Rows that equal an earlier row in every column. Left out where nested columns make rows incomparable.'
        ),
    ] = None
    null_rows: Annotated[int | None, Field(description='Rows that are null in every column.')] = None
    candidate_keys: Annotated[
        list[Columns] | None,
        Field(
            description='Columns, alone or in pairs, whose values name every row: none is null and none occurs twice. Pairs are looked for among the\ncolumns of the row sample where no column alone is a key, and are left out where a sample is not all rows.\n'
        ),
    ] = None
    missingness: Annotated[
        list[MissingPattern] | None,
        Field(
            description='Which columns are null together, the most frequent first, at most 20; of the row sample.'
        ),
    ] = None
    correlations: Annotated[
        list[Correlation],
        Field(
            description="Pearson's r of every pair of numeric or temporal columns, strongest first, at most 100 pairs. Pairs\nwithout variance have none.\n"
        ),
    ]
    associations: Annotated[
        list[Association] | None,
        Field(
            description='How columns hang together, by every method that was asked for and suits them, strongest first, at most 100 of each method.\n'
        ),
    ] = None
    series: Annotated[
        list[SeriesMetrics] | None,
        Field(description='What was found of the numbers as time series, where there is a time.'),
    ] = None
    sampled_rows: Annotated[
        int | None,
        Field(
            description='Rows of the sample that metrics of pairs and patterns were measured on, drawn evenly; all where that is `rows`.'
        ),
    ] = None
    estimates: Annotated[
        list[Estimate] | None, Field(description='Metrics of the frame that are estimates.')
    ] = None
    column_metrics: Annotated[
        list[ColumnMetrics] | None,
        Field(description='Metrics of every column, in order; given by `profile`.'),
    ] = None


class Issue(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    code: IssueCode
    severity: Severity
    detail: str
    affected_rows: int
    column: Annotated[str | None, Field(description='The column meant; null when it is the frame.')] = None
    share: Annotated[float | None, Field(description='Of all rows.')] = None
    bounds: IssueBounds | None = None
    value: Annotated[float | None, Field(description='The metric that was judged.')] = None
    threshold: Annotated[float | None, Field(description='What it was judged by.')] = None
    method: Annotated[str | None, Field(description='How it was measured.')] = None
    filter: Filters | None = None
    examples: Annotated[
        list[ExampleRow] | None, Field(description='The first rows of these, at most `max_examples`.')
    ] = None


class JobEnd(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    status: JobStatus
    code: int
    error: JobError | None


class DeadLetter(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    token: Annotated[int, Field(description='The token of the job that died.', ge=1)]
    job_type: JobType
    datasource_id: Annotated[str, Field(description='Empty for a frame that was sent.')]
    request_id: str
    attempts: Annotated[int, Field(description='How often the job was begun.', ge=1)]
    died_at: AwareDatetime
    request: Annotated[
        str,
        Field(
            description='The body of the POST, as JSON. The data of a frame that was sent is its digest, `sha256:…`.'
        ),
    ]
    error: Error


class DeadLetterList(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    dead_letters: Annotated[list[DeadLetter], Field(description='The newest first.')]
    next_cursor: Annotated[
        int | None, Field(description='The `cursor` of the next page; null on the last one.', ge=1)
    ]


class ErrorEnvelope(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    error: Error


Derivation = TypeAliasType(
    "Derivation",
    Annotated[
        Arithmetic | NumberFunction | DatePart | DateDiff | TextFunction | Substring | Concat | ReplaceText | SplitPart | Case | Coalesce | CastColumn | Bin,
        Field(
            description='A column computed of others; a name that is there already is replaced.',
            discriminator='fn',
        ),
    ],
)


Rule = TypeAliasType(
    "Rule",
    Annotated[
        NotNullRule | UniqueRule | InSetRule | NotInSetRule | InRangeRule | MatchesRule | TypeRule | LengthRule | IncreasingRule | DecreasingRule | RowCountRule | ColumnExistsRule | ColumnsAreRule | MeanRule | SumRule | QuantileRule | NullRatioRule | DistinctRule | ForeignKeyRule | FreshRule | NoGapsRule | CompareColumnsRule | SatisfiesRule,
        Field(
            description='One thing that must hold. `filter` says of which rows, `tolerance` how many may fail without harm, and `warn_within`, which is\nwider, how many make a warning where `severity` is `error`. What `filter` leaves out is not looked at, and nothing is compared\nwith it. What is not known breaks no rule: a mean of no values lies between any ends.\n',
            discriminator='rule',
        ),
    ],
)


class SuggestedRule(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rule: Rule
    evidence: Annotated[str, Field(description='What speaks for it.')]


class Plan(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    dataset: Annotated[
        str,
        Field(
            description='A path or glob as in `DatasetPath`; else a name, looked up as `{datasource_id}/{name}` and then `{name}`\nunder the base path, as a directory or as a file without its extension; else `{name}_{format}`, the\nfiles of one format of directory or file `{name}`, so that `energy_parquet` is the Parquet files under\n`energy/`. Two meanings at one level are refused.\n',
            examples=['energy_parquet'],
            max_length=4096,
            min_length=1,
        ),
    ]
    union: Annotated[
        list[UnionedDataset] | None,
        Field(
            description="Data sets whose rows follow those of `dataset`. Columns meet by name, letter by letter; a column that one of them\nlacks is null there. Types are widened without loss, or refused: integers become wider ones, floats (the job fails\non one that no float is) or decimals, dates and times those of the finest unit, in the first one's zone.\n",
            max_length=64,
        ),
    ] = None
    clean: CleanSteps | None = None
    unpivot: Unpivot | None = None
    explode: Annotated[
        list[ColumnName] | None,
        Field(
            description='Columns of lists; each of their values gets a row of its own. Several are walked side by side and must be\nequally long in a row, where null is as long as an empty list. Both give one row with null.\n',
            max_length=100,
        ),
    ] = None
    joins: Annotated[list[Join] | None, Field(description='Data sets to join, in order.', max_length=16)] = (
        None
    )
    derive: Annotated[
        list[Derivation] | None,
        Field(description='Columns to compute, in order; one may use those before it.', max_length=1000),
    ] = None
    filters: Filters | None = None
    sample: Sample | None = None
    select: Annotated[
        list[ColumnName] | None,
        Field(
            description="Columns of the data set to keep, in this order. With `groupby` or `aggs` the answer's columns are the group\nkeys and the aggregates, and `select` only names the source columns the plan is about.\n",
            max_length=10000,
        ),
    ] = None
    groupby: Annotated[
        list[ColumnName] | None,
        Field(
            description='Columns to group by. The bucket of `grain` is named by its unit: `day`, `hour`. Without `aggs`, the\ndistinct combinations.\n',
            max_length=100,
        ),
    ] = None
    aggs: Annotated[
        list[Aggregation] | None,
        Field(
            description='Aggregates of each group, or of all rows when there is no `groupby`.',
            max_length=1000,
        ),
    ] = None
    grain: Annotated[
        str | None,
        Field(
            description="The width of a time bucket: `1 day`, `15 minutes`, `1 week`, `1 month`, `1 quarter`, `1 year`, or an ISO 8601\nduration of one unit (`P1D`, `PT15M`). A bucket that `groupby` does not name is the first group key.\n\nA bucket of a day or more is the date on which it begins; days are told by the clock of `timezone`, so the day on\nwhich summer time begins has 23 hours, and that on which it ends has 25. A shorter bucket is the timestamp at\nwhich it begins, in the column's type. Hours, minutes and seconds are counted on that clock: a bucket begins\nwhenever it shows a multiple of the width, and reaches to the next. So an hour that comes twice is two buckets,\n`6 hours` begin at 0, 6, 12 and 18 on every day and are 5 or 7 long where the clock is changed, and a beginning\nthat the clock leaves out is at the moment it is put forward.\n",
            examples=['1 day'],
            pattern='^([1-9][0-9]{0,4} (second|minute|hour|day|week|month|quarter|year)s?|P([1-9][0-9]{0,4}[YMWD]|T[1-9][0-9]{0,4}[HMS]))$',
        ),
    ] = None
    time_col: Annotated[
        str | None,
        Field(
            description='The column that `grain` or `resample` buckets, and that orders `first` and `last`. Without it, the only date or\ntimestamp column of the data set.\n',
            max_length=1024,
        ),
    ] = None
    timezone: Annotated[
        str | None,
        Field(
            description='IANA name of the zone in which a day begins. Default `UTC`. It also places dates and times in\nfilters that carry no offset.\n',
            examples=['Europe/Berlin'],
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9_+/-]+$',
        ),
    ] = None
    week_start: Weekday = 'monday'
    origin: Annotated[
        str | None,
        Field(
            description="A date or timestamp at which a bucket of `grain` begins, to the millisecond; by the clock of `timezone` where it has no\noffset. Several units are counted from it. Default: midnight of 1970-01-01, for weeks of the first `week_start` of\n1970. Days that begin at 6 are named by the date on which they begin. Months, quarters and years begin on a\nday from 1 to 28, weeks on the origin's weekday.\n",
            examples=['2025-01-01T06:00:00'],
            max_length=64,
            min_length=1,
        ),
    ] = None
    resample: Resample | None = None
    having: Annotated[Filters | None, Field(description='Groups to keep, by their keys and aggregates.')] = (
        None
    )
    window: Annotated[
        list[Window] | None,
        Field(
            description='Columns computed of each row and its neighbours, in order; over groups when there are any. One may use those\nbefore it.\n',
            max_length=100,
        ),
    ] = None
    pivot: Pivot | None = None
    top_n: TopN | None = None
    distinct: Annotated[
        bool, Field(description='Whether rows that repeat another in every selected column are left out.')
    ] = False
    order: Annotated[
        list[Order] | None,
        Field(
            description='How to sort the answer. Ties are broken by the group keys, or by the order of the files.',
            max_length=100,
        ),
    ] = None
    offset: Annotated[
        int | None, Field(description='Leave out this many rows of the answer first.', ge=0, le=1000000000000)
    ] = None
    limit: Annotated[
        int | None, Field(description='Give no more rows than this.', ge=1, le=1000000000000)
    ] = None


class Provenance(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    plan_hash: Annotated[
        str,
        Field(
            description='SHA-256 of the plan as canonical JSON: defaults filled in, what is not there left out, keys sorted, no white\nspace. The same for the same plan, however it is spelt.\n',
            pattern='^[0-9a-f]{64}$',
        ),
    ]
    plan: Annotated[
        Plan,
        Field(
            description='The plan as it was run; what was relative to the time of the request is a moment here.'
        ),
    ]
    sources: Annotated[
        str,
        Field(
            description='The fingerprint of all files together, as in `reading.sources`, which names them.'
        ),
    ]
    versions: ProvenanceVersions
    casts: Annotated[
        list[ProvenanceCast],
        Field(
            description='Columns that do not have the type they are stored with: text that was read as something else, and files whose type\ngave way to that of all of them; at most 1,000.\n'
        ),
    ]
    created_at: Annotated[
        AwareDatetime,
        Field(description='When it was computed; of a remembered result, before it was asked for.'),
    ]
    replay: Replay


class Baseline(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    frame_ref: FrameRef | None = None
    datasource_id: DatasourceId | None = None
    plan: Plan | None = None
    token: Annotated[
        ResultToken | None, Field(description='The token of a query or of an analysis that has completed.')
    ] = None
    read: ReadOptions | None = None


class AnalyzeOptions(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    include_correlations: bool = True
    include_outliers: bool = True
    correlation_threshold: Annotated[
        float,
        Field(
            description='Pairs at or above this, in absolute value, become a `HIGH_CORRELATION` issue.',
            ge=0.0,
            le=1.0,
        ),
    ] = 0.9
    outlier_method: OutlierMethod = 'iqr'
    null_ratio_threshold: Annotated[
        float,
        Field(
            description='Columns with a share of nulls at or above this become a `HIGH_NULL_RATIO` issue.',
            ge=0.0,
            le=1.0,
        ),
    ] = 0.1
    max_hints: Annotated[int, Field(ge=0, le=50)] = 6
    max_examples: Annotated[
        int, Field(description='Example rows of each issue, and of each rule that is not met.', ge=0, le=5)
    ] = 5
    by: Annotated[
        list[ColumnName] | None,
        Field(
            description='Columns that name groups. Outliers are judged by the bounds of their own group, and times within their own series.\n',
            max_length=8,
            min_length=1,
        ),
    ] = None
    time_col: Annotated[
        ColumnName | None,
        Field(description='The time of a time series; the only temporal column when it is not given.'),
    ] = None
    keys: Annotated[
        list[ColumnName] | None,
        Field(
            description='Columns whose values together should name a row; rows that share them become a `DUPLICATE_KEYS` issue.',
            max_length=8,
            min_length=1,
        ),
    ] = None
    association_methods: Annotated[
        list[AssociationMethod] | None,
        Field(
            description='What `metrics.associations` measures; all but `kendall`, which takes longest, when it is not given.\n',
            max_length=6,
        ),
    ] = None
    thresholds: IssueThresholds | None = None
    redact: Annotated[
        bool,
        Field(
            description='Whether suspected personal data is kept out of the answer: values of columns that hold it, and what looks like it\ninside other text, are replaced in samples, examples, top values and filters by the kind in brackets, as in `[email]`.\n'
        ),
    ] = False
    rules: Annotated[
        list[Rule] | None,
        Field(
            description='What to validate; taken by `validate` alone, which needs them or `suggest`.',
            max_length=1000,
        ),
    ] = None
    suggest: Annotated[
        bool,
        Field(
            description='Whether `validate` proposes rules that the data meets, each with what speaks for it.'
        ),
    ] = False


class ChartHint(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    type: ChartType
    x: Annotated[str, Field(description='The column on the horizontal axis.')]
    y: Annotated[str, Field(description='A column, or a function of one, as in `sum(cost)` and `count(*)`.')]
    title: str
    agg: Annotated[AggregateFunction | None, Field(description='What makes one point of many rows.')] = None
    grain: Annotated[TimeGrain | None, Field(description='The width of a point in time.')] = None
    color: Annotated[
        str | None,
        Field(description='The column that tells series apart; of a heat map, what is told by colour.'),
    ] = None
    reason: Annotated[str | None, Field(description='Why it is worth drawing.')] = None
    score: Annotated[
        float | None, Field(description='How much it is worth, 0 to 1; hints stand in its order.')
    ] = None
    plan: Plan | None = None


class RuleResult(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    name: str
    rule: str
    severity: Annotated[
        Severity, Field(description="The rule's; of one that failed within `warn_within`, `warning`.")
    ]
    passed: bool
    rows_checked: Annotated[int, Field(description='Rows, or values, that the rule looked at.')]
    rows_failed: Annotated[
        int,
        Field(
            description='Of a rule of the whole frame, all of them or none; of `row_count_between`, how many there are too few or too many.\n'
        ),
    ]
    observed: Annotated[str, Field(description='What was found, for a person to read.')]
    share: Annotated[float | None, Field(description='Of the rows checked, those that failed.')] = None
    filter: Annotated[
        Filters | None,
        Field(
            description='Selects exactly the rows that failed; left out where a rule is of the whole frame, and where all held.'
        ),
    ] = None
    plan: Annotated[
        Plan | None,
        Field(
            description='Yields the rows that failed, where no filter can say which these are; given by `foreign_key` of a plan.'
        ),
    ] = None
    examples: Annotated[
        list[ExampleRow] | None, Field(description='The first rows that failed, at most `max_examples`.')
    ] = None


class QueryRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    datasource_id: DatasourceId
    plan: Plan
    output: OutputFormat = 'json'
    read: ReadOptions | None = None
    budget: QueryBudget | None = None


class QueryResult(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rows: Annotated[
        list[Row],
        Field(description='The first rows, at most `PY_MAX_ROWS_JSON`, and at most 32 MiB of them.'),
    ]
    schema_: Annotated[Schema, Field(alias='schema')]
    metrics: QueryMetrics
    truncated: Annotated[bool, Field(description='Whether the result has more rows than `rows`.')]
    download: Annotated[str, Field(description='Where the whole result is.')]
    reading: Reading
    provenance: Provenance


class AnalyzeRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    frame_ref: FrameRef | None = None
    datasource_id: DatasourceId | None = None
    plan: Plan | None = None
    token: ResultToken | None = None
    job_kind: AnalysisKind
    options: AnalyzeOptions | None = None
    read: ReadOptions | None = None
    baseline: Baseline | None = None


class Validation(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    verdict: Verdict
    rules: list[RuleResult]
    suggested: Annotated[
        list[SuggestedRule] | None,
        Field(description='Rules that the data meets; given when `options.suggest` is on.'),
    ] = None


class AnalyzeResult(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    job_kind: AnalysisKind
    metrics: FrameMetrics
    issues: list[Issue]
    chart_hints: list[ChartHint]
    sample: Annotated[list[Row], Field(description='The first rows, at most 10.')]
    schema_: Annotated[Schema, Field(alias='schema')]
    validation: Validation | None = None
    comparison: FrameComparison | None = None
    reading: Annotated[
        Reading | None,
        Field(
            description="Of all data sets that were read: those of the plan, those that foreign keys refer to, and those of the baseline's plan.\n"
        ),
    ] = None
    provenance: Provenance | None = None


JobData = TypeAliasType(
    "JobData",
    Annotated[
        dict[str, Any] | DiscoverResult | InferSchemaResult | QueryResult | AnalyzeResult | None,
        Field(description='The result by job type, or null.'),
    ],
)


class Job(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    token: Annotated[int, Field(ge=1)]
    job_type: JobType
    status: JobStatus
    steps: list[Step]
    progress: Annotated[
        float | None,
        Field(
            description='The share of the work that is done; null where it cannot be counted.', ge=0.0, le=1.0
        ),
    ]
    work: JobWork | None
    attempt: Annotated[
        int,
        Field(
            description='How often the job was begun. More than 1 when its process or its worker died under it, its storage\nfailed in passing, or its worker was stopped and gave it back.\n',
            ge=0,
        ),
    ]
    data: JobData | None
    code: Annotated[
        int, Field(description='The HTTP status the work would have had; 200 while it is under way.')
    ]
    error: JobError | None
    request_id: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    expires_at: Annotated[
        AwareDatetime | None, Field(description='When record and result go; null until the job has ended.')
    ]
    ttl: Annotated[int, Field(description='Seconds for which the record is kept once the job has ended.')]


FieldModel.model_rebuild()
Filter.model_rebuild()
