"""The storage emulators' one account: its key is in their documentation, the same everywhere, and no secret."""

from collections.abc import Mapping

ACCOUNT = "devstoreaccount1"
# checkov:skip=CKV_SECRET_3: published with the emulator
# checkov:skip=CKV_SECRET_6: published with the emulator
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
USUAL = {"Blob": "http://127.0.0.1:10000", "Queue": "http://127.0.0.1:10001", "Table": "http://127.0.0.1:10002"}


def connection_string(addresses: Mapping[str, str]) -> str:
    """Return the connection string of an emulator whose services (Blob, Queue, Table) are at these addresses."""
    ends = "".join(f"{service}Endpoint={address}/{ACCOUNT};" for service, address in sorted(addresses.items()))
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{ends}"


def expand(given: str) -> str:
    """Return the full form of ``UseDevelopmentStorage=true``, which the table client does not know."""
    return connection_string(USUAL) if given.strip().rstrip(";").lower() == "usedevelopmentstorage=true" else given
