import resource

from workers.secrecy import without_core_dumps


def test_a_crash_of_the_worker_leaves_no_core_file() -> None:
    without_core_dumps()
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
