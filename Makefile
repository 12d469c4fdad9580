# The two commands that matter: `make run` and `make test`. Everything lives in .venv; nothing is installed elsewhere.
.DEFAULT_GOAL := help
.PHONY: help setup run serve dev pictures test test-worlds test-reports test-office test-walk test-duckdb15 docs notebooks lint lint-python lint-sql audit-code licences fuzz-requests test-views lock wheels spark test-spark fuzz-intake test-faults clean
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
DATA ?=
# The worlds that `make test-worlds` tries.
SEEDS ?= 11,12,13
# The first Python that will do; another may be named: make run PYTHON=/opt/python3.12/bin/python3
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; \
	then echo $$p; break; fi; done)
PIP_QUIET := --quiet --disable-pip-version-check --no-input
CODE := oversight dagster_project

help:  ## 显示这份说明
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

setup: $(VENV)/installed.stamp  ## 安装运行所需的一切到 .venv（run、test 会自动调用）
	@$(BIN)/python -m oversight.editions

run: setup  ## 读取 data/raw，发布新版本（自己的数据：make run DATA=目录）
	@$(BIN)/oversight run $(if $(DATA),--data $(DATA))

serve: setup  ## 打开看板：http://127.0.0.1:8050（自己的数据：make serve DATA=目录；换端口：PORT=8051）
	@$(BIN)/oversight serve $(if $(DATA),--data $(DATA)) $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

dev: setup $(VENV)/page.stamp  ## 打开 Dagster 页面：http://127.0.0.1:3000（PORT=3001 换端口）
	@$(BIN)/python -m dagster_project.dev $(DATA) --port $(or $(PORT),3000)

test: setup $(VENV)/dev.stamp  ## 运行全部测试
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder

test-worlds: setup $(VENV)/dev.stamp  ## 更多的模拟世界与独立计算逐行核对（较慢；SEEDS=11,12,13）
	@OVERSIGHT_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/oracle/test_worlds.py -k "thousand or upon"

test-faults: setup $(VENV)/dev.stamp  ## 随机改动、断电、磁盘写满、并发（很慢，逐项打印结果）
	@for each in flips kills full_disk rivals readers stranger; do $(BIN)/python -m tests.faults.$$each || exit 1; done

test-reports: setup $(VENV)/dev.stamp  ## 逐月逐地逐句核对通报里的每个数（样例和模拟世界，约二十分钟）
	@$(BIN)/python -m tests.reports.every

test-office: setup $(VENV)/dev.stamp  ## 用 LibreOffice 打开通报的 Word 和 Excel 文件（没有就用 apt 安装，较大）
	@command -v soffice >/dev/null || { \
		as_root=$$( [ $$(id -u) = 0 ] || echo sudo ); export DEBIAN_FRONTEND=noninteractive; \
		$$as_root apt-get update -qq && \
		$$as_root apt-get install -qq -y --no-install-recommends libreoffice-writer libreoffice-calc fonts-noto-cjk fonts-liberation >/dev/null; } || \
		{ echo "LibreOffice 没有装成：请检查软件源后再试。" >&2; exit 1; }
	@OVERSIGHT_TEST_OFFICE=1 $(BIN)/python -m pytest tests/office

spark: setup $(VENV)/spark.stamp  ## 补装 Spark（一台机器不够时用，约 500 MB，另需 Java 17 或 21）：oversight run --engine spark
	@$(JAVA)

test-spark: setup $(VENV)/dev.stamp spark  ## 在 DuckDB 和 Spark 上各算一遍，逐行核对每张表（较慢；没有 Java 就用 apt 安装）
	@OVERSIGHT_TEST_SPARK=1 $(BIN)/python -m pytest tests/spark

# Spark runs on Java, which pip does not bring.
JAVA = java -version >/dev/null 2>&1 || { \
	as_root=$$( [ $$(id -u) = 0 ] || echo sudo ); export DEBIAN_FRONTEND=noninteractive; \
	$$as_root apt-get update -qq && $$as_root apt-get install -qq -y --no-install-recommends openjdk-17-jre-headless >/dev/null; } || \
	echo "Java 没有装成：请检查软件源，或自行安装 Java 17 或 21。" >&2

test-walk: setup $(VENV)/dev.stamp  ## 在浏览器里走完一个月，从报送、审核、运行到催报、发函、答复、整改、销号、印发，再照各角色的手册走一遍（较慢）
	@OVERSIGHT_TEST_WALK=1 $(BIN)/python -m pytest tests/workflow/test_walk.py tests/docs/test_roles.py

test-duckdb15: setup $(VENV)-duckdb15/installed.stamp  ## 用上一代的 DuckDB 1.5.6 运行全部测试
	@$(VENV)-duckdb15/bin/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder

MINUTES ?= 10
fuzz-intake: setup $(VENV)/dev.stamp  ## 用随机的工作簿和损坏的文件考验读取（MINUTES=10，各半）
	@$(BIN)/python benchmarks/intake.py xml fuzz --minutes $$(( $(MINUTES) / 2 ))

pictures: setup $(VENV)/dev.stamp  ## 重拍使用手册里的图（先运行 make run；需要 Chromium）
	@$(BIN)/python docs/pictures.py
	@$(BIN)/python -m tests.docs.roles

docs: setup $(VENV)/docs.stamp  ## 生成使用手册和数据字典到 site/（打开 site/index.html）
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "已生成 site/index.html"

notebooks: setup $(VENV)/notebooks.stamp  ## 打开分析笔记本（自己的数据：make notebooks DATA=目录）
	@echo "正在打开浏览器；没有自动打开时，把下面以 http://127.0.0.1 开头的整行地址（含 token）粘贴到浏览器。按 Ctrl+C 停止。"
	@$(if $(DATA),OVERSIGHT_DATA=$(abspath $(DATA))) $(BIN)/jupyter lab notebooks --config=notebooks/jupyter_lab_config.py

lint: setup $(VENV)/dev.stamp  ## 检查代码格式、类型、层次和 SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory -j2 lint-python lint-sql

# Each takes one processor for a minute or two, so both go side by side.
lint-python:
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lint-sql:
	@OVERSIGHT_BUILD=$(abspath dbt/target/lint.duckdb) OVERSIGHT_INPUTS=$(abspath dbt/target) DO_NOT_TRACK=1 \
		$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt/models dbt/tests
	@$(BIN)/sqlfluff lint --disable-progress-bar --templater placeholder oversight/dashboard/sql oversight/reports/sql

audit-code: setup $(VENV)/dev.stamp  ## 检查代码里的安全隐患（bandit）
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(CODE)

licences: setup  ## 列出所装各个包的许可证（连同开发所需：DEV=1）
	@$(BIN)/oversight licences $(if $(DEV),--dev)

COUNT ?= 100000
test-views: setup $(VENV)/dev.stamp  ## 在浏览器里逐页核对数字与排版（八种情形 × 两种单位 × 两种主题 × 三种宽度，约二十分钟；一部分：VIEWS="--width 390"，各项见 --help）
	@$(BIN)/python -m tests.dashboard.matrix $(VIEWS)

fuzz-requests: setup $(VENV)/dev.stamp  ## 用十万个不合规的请求和五百个慢客户端考验看板（COUNT=100000；先运行 make run）
	@$(BIN)/python tests/faults/fuzz_requests.py $(COUNT)
	@$(BIN)/python tests/faults/slow_clients.py

# Versions stay as they are where pyproject.toml allows them; to take newer ones, remove the lock files first.
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
	--no-header --no-annotate --no-emit-index-url --no-emit-package township-oversight --extra setup
lock: setup $(VENV)/dev.stamp  ## 按 pyproject.toml 重写各个 requirements*.lock（需要软件源）
	@$(COMPILE) --output-file requirements.lock
	@for each in page docs notebooks dev spark; do \
		$(COMPILE) --extra $$each --constraint requirements.lock --output-file requirements-$$each.lock || exit 1; done

# Kylin V10 and the like have glibc 2.28; a wheelhouse made here fits there.
PLATFORM ?= manylinux_2_28_$(shell uname -m)
PYTHON_VERSION ?= 3.11
wheels: setup  ## 为没有软件源的内网备齐安装包到 wheels/（PLATFORM=manylinux_2_28_aarch64 等）
	@$(BIN)/python -m pip download $(PIP_QUIET) --no-deps --require-hashes --only-binary=:all: --dest wheels \
		$(foreach p,$(PLATFORM) manylinux_2_17_$(lastword $(subst 2_28_, ,$(PLATFORM))) manylinux2014_$(lastword $(subst 2_28_, ,$(PLATFORM))),--platform $(p)) \
		--python-version $(PYTHON_VERSION) -r requirements.lock
	@echo "已备齐到 wheels/，共 $$(ls wheels | wc -l) 个包。"

clean:  ## 删除构建产物和缓存（不动报来的文件、已发布的版本和 .venv）
	rm -rf data/.work dbt/target dbt/logs .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(CODE) tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The locks are complete and carry hashes, so nothing is resolved again; build isolation would download a backend that
# the lock has already.
define install
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11、3.12 或 3.13：请安装，或用 make $(MAKECMDGOALS) PYTHON=路径 指定。" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "$(PYTHON) 不是 Python 3.11 到 3.13：请用 PYTHON=路径 指定另一个。" >&2; exit 1; }
	@echo "首次准备：安装依赖到 $(1)，约需几分钟……"
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	$(call add,$(1),$(2))
	$(call trim,$(1))
	@$(1)/bin/python -m pip install $(PIP_QUIET) --no-deps --no-build-isolation --editable .
	@$(1)/bin/python -m compileall -q $(CODE)
endef
# A fifth of what comes is never used: the packages' own tests, maps for debugging their pages, what pyarrow has for
# servers elsewhere, dates in a thousand languages, fonts beside ours (SimHei is not even free), and bytecode that no
# program here loads.
define trim
	@cd $(1)/lib/python3*/site-packages && \
		find numpy pandas scipy networkx pyarrow -type d -name tests -prune -exec rm -rf {} + && \
		find dash dash_ag_grid dash_mantine_components -type f -name '*.map' -delete && \
		find mplfonts/fonts -type f ! -name 'NotoSansCJKsc-Regular.otf' ! -name 'NotoSerifCJKsc-Regular.otf' -delete && \
		find babel/locale-data -type f ! -name 'root.dat' ! -name 'en*.dat' ! -name 'zh*.dat' -delete && \
		find setuptools pkg_resources sqlglot -type d -name __pycache__ -prune -exec rm -rf {} + && \
		rm -rf pyarrow/include pyarrow/libarrow_flight.* pyarrow/_flight.* pyarrow/libarrow_s3.* pyarrow/_s3fs.*
endef
define add
	@$(1)/bin/python -m pip install $(PIP_QUIET) --no-deps --require-hashes -r $(2) || \
		{ echo "依赖没有装成：请检查网络或本单位的软件源设置，再运行一次。" >&2; exit 1; }
endef

$(VENV)/installed.stamp: requirements.lock pyproject.toml
	$(call install,$(VENV),requirements.lock)
	@touch $@

# What tests, documentation and notebooks need beside it, each only when asked for.
$(VENV)/%.stamp: requirements-%.lock | $(VENV)/installed.stamp
	@echo "补装 $* 所需的依赖……"
	$(call add,$(VENV),$<)
	@touch $@

$(VENV)-duckdb15/installed.stamp: requirements-dev.lock pyproject.toml
	$(call install,$(VENV)-duckdb15,requirements-dev.lock)
	@$(VENV)-duckdb15/bin/python -m pip install $(PIP_QUIET) --no-deps duckdb==1.5.6
	@touch $@
