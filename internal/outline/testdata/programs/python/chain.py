import json


def read(text):
    try:
        return json.loads(text)
    except ValueError as e:
        raise RuntimeError("the settings are no JSON") from e


read("{")
