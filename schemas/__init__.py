"""The language of Datongguan: every fact and request, in the words of the field. Imports pydantic and nothing of ours."""
