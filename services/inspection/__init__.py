"""The inspection desk: which controls must an officer answer, and what did the officer find?"""
