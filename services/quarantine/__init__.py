"""The quarantine desk: which treatment is owed, and did it meet its schedule?"""
