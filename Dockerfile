# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build

RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=/opt/airpy

# The dependencies change seldom, and so stand in a layer of their own.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project

COPY README.md LICENSE ./
COPY api api
COPY handlers handlers
COPY src src
RUN uv sync --frozen --no-dev --no-editable


FROM python:3.12-slim

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin airpy \
    && install --directory --owner airpy /data/results \
    && install --directory /data/files
COPY --from=build /opt/airpy /opt/airpy

ENV PATH=/opt/airpy/bin:$PATH PYTHONUNBUFFERED=1 PY_RESULTS_PATH=/data/results
USER airpy
VOLUME /data/results
EXPOSE 9001

# The check signs its own token, with the secret of the environment.
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s CMD ["airpy", "health"]

CMD ["airpy", "serve", "--host", "0.0.0.0"]
