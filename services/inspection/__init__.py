"""The inspection desk: what must an officer answer, and what was found?"""
