"""One town for each module: building one takes longer than most questions to it."""

from collections.abc import Iterator

import pytest
from bureau import BOX_WRAP_KEY, Clock, SeededBytes, make_grants
from contract_town import Town
from servers.databases import SQLiteDatabases

from card_core.kernel import BoxKeyWrap, Kernel
from card_core.store import FieldCipher, open_store


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_databases: SQLiteDatabases,
    cipher: FieldCipher,
) -> Iterator[Town]:
    directory = tmp_path_factory.mktemp("town")
    store = open_store(sqlite_databases.fresh(directory, with_bureau=True), cipher=cipher)
    prepared = sqlite_databases.bureau
    clock = Clock()
    kernel = Kernel(
        store,
        clock=clock,
        random_bytes=SeededBytes(str(directory).encode()),
        box_key_wrap=BoxKeyWrap(BOX_WRAP_KEY),
        grants=make_grants(store, clock),
    )
    town = Town(prepared.on(kernel, clock))
    yield town
    town.service.services.writer.stop()
    store.close()
