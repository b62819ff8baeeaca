"""Fetch DynamoDB Local into the cache, once; say where it stands. Never fails: without it, moto is used and marked."""

from ddbmig.model.errors import DdbmigError
from ddbmig.validators.dynamodb_local import cache_folder, install, installed


def main() -> None:
    """Fetch unless it is there."""
    cache = cache_folder()
    try:
        if not installed(cache):
            print("fetching DynamoDB Local (50 MB, once) ...", flush=True)
        print(f"DynamoDB Local {install(cache).version} is in {cache}")
    except DdbmigError as error:
        print(f"DynamoDB Local cannot be had: {error}")


if __name__ == "__main__":
    main()
