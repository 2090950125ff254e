-- Run by Ardour's own Lua, without a window: `ardour7-lua session.lua STEP FOLDER NUMBER...`. Any error ends it with a
-- message.
--   make BARS SEED FIRST_BAR TEMPO CHANGE TEMPO   a session with Etude on one track and its MIDI recorded on another, whose
--                                                 tempo changes CHANGE quarter notes from its start
--   wait                                          load it, let Etude compose a moment, and save it
--   loop TURNS                                    load it, and record until its loop has turned so often, and a bit longer
--   roll FROM UNTIL                               load it, and record between two samples, or a bit longer
--   jump FROM UNTIL LEAVE TO LEAVE TO...          load it, roll from a sample on, jump while it rolls, from each LEAVE (or a
--                                                 bit later) to its TO, and record what is played after the last jump, until a
--                                                 sample or a bit longer; prints the sample where the recording begins
--   track                                         a session with one track and nothing on it
--   read                                          load it, and print what its track holds, a line each: note, onset and length
--                                                 in beats:ticks, key and velocity; or pedal, time in ticks, and value
local step, folder = arg[1], arg[2]
local numbers = {}
for i = 3, #arg do numbers[i - 2] = assert(tonumber(arg[i])) end
local NAME, RATE = "etude", 48000
-- In a quarter note.
local TICKS = 1920
-- Between two looks, and how long to look, in seconds.
local PAUSE, PATIENCE = 0.05, 120
local ui = ARDOUR.TransportRequestSource.TRS_UI

local function wait(what, done)
  for _ = 1, PATIENCE / PAUSE do
    if done() then return end
    sleep(PAUSE)
  end
  error(what .. " takes too long")
end

-- Lets the plugin hear of what was set, and do something about it.
local function process(cycles)
  assert(ARDOUR.LuaAPI.wait_for_process_callback(cycles, 1000 * PATIENCE), "the engine stands still")
end

local function knob(processor, name, value)
  local plugin = processor:to_insert():plugin(0)
  for i = 0, plugin:parameter_count() - 1 do
    if plugin:parameter_label(i) == name then
      return ARDOUR.LuaAPI.set_processor_param(processor, i, value)
    end
  end
  error("there is no knob " .. name)
end

local function new_session()
  return assert(create_session(folder, NAME, RATE), "no session")
end

local function new_track(session, name)
  local midi = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
  local tracks = session:new_midi_track(midi, midi, false, ARDOUR.PluginInfo(), nil, nil, 1, name,
    ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, false, false)
  for track in tracks:iter() do return track end
end

local function make(bars, seed, first_bar, tempo, change, later)
  local session = new_session()
  local pianist, recorder = new_track(session, "Pianist"), new_track(session, "Recorder")
  local plugin = ARDOUR.LuaAPI.new_plugin(session, "Etude", ARDOUR.PluginType.VST3, "")
  assert(not plugin:isnil(), "Ardour does not know Etude")
  assert(pianist:add_processor_by_index(plugin, 0, nil, true) == 0, "Etude can't be inserted")
  knob(pianist:nth_plugin(0), "Bars", bars)
  knob(pianist:nth_plugin(0), "Seed", seed)
  knob(pianist:nth_plugin(0), "Start bar", first_bar)
  local from, to = pianist:output():midi(0), recorder:input():midi(0)
  to:disconnect_all()
  assert(from:connect(to:name()) == 0, "the tracks can't be connected")
  local tempos = Temporal.TempoMap.write_copy()
  tempos:set_tempo(Temporal.Tempo(tempo, tempo, 4), Temporal.timepos_t(0))
  tempos:set_tempo(Temporal.Tempo(later, later, 4), Temporal.timepos_t.from_ticks(change * TICKS))
  Temporal.TempoMap.update(tempos)
  process(10)
  session:save_state("")
end

local function load()
  return assert(load_session(folder, NAME), "the session can't be loaded")
end

local function compose()
  local session = load()
  process(50)
  session:save_state("")
end

-- Loads the session and arms its recorder. Before it records, it does `before`; then it starts as `start` does, and goes on
-- until `done` says so.
local function record(start, done, before)
  local session = load()
  local recorder = session:route_by_name("Recorder"):to_track()
  local armed = recorder:rec_enable_control()
  armed:set_value(1, PBD.GroupControlDisposition.NoGroup)
  wait("arming the track", function() return armed:get_value() == 1 end)
  if before then before(session) end
  local recorded = recorder:playlist():region_list():size()
  session:maybe_enable_record()
  start(session)
  wait("recording", function() return session:actively_recording() end)
  wait("the recording", function() return done(session) end)
  session:request_stop(false, false, ui)
  wait("stopping", function() return not session:transport_rolling() end)
  local regions = recorder:playlist():region_list()
  wait("keeping the recording", function()
    regions = recorder:playlist():region_list()
    return regions:size() > recorded
  end)
  session:save_state("")
  for region in regions:iter() do print(region:position():samples()) end
end

local function loop(turns)
  local last = 0
  record(function(session) session:request_play_loop(true, false) end, function(session)
    local now = session:transport_sample()
    -- A bit back is no turn: Ardour may say where it is before what it has played.
    if now < last - RATE / 2 then turns = turns - 1 end
    last = now
    return turns == 0
  end)
end

local function start(session, from)
  session:request_locate(from, false, ARDOUR.LocateTransportDisposition.MustStop, ui)
  wait("locating", function() return session:transport_sample() == from end)
  session:request_roll(ui)
end

-- Waits for a sample, and jumps to another one while the session rolls.
local function jump(session, leave, to)
  wait("rolling", function() return session:transport_sample() >= leave end)
  session:request_locate(to, false, ARDOUR.LocateTransportDisposition.MustRoll, ui)
  local before = to < leave and leave or math.huge
  wait("jumping", function()
    local now = session:transport_sample()
    return to <= now and now < before and session:transport_rolling()
  end)
end

local function roll(from, till)
  record(function(session) start(session, from) end, function(session) return session:transport_sample() >= till end)
end

local function jumps(from, till, ...)
  local places = { ... }
  record(function() end, function(session) return session:transport_sample() >= till end, function(session)
    start(session, from)
    for place = 1, #places, 2 do jump(session, places[place], places[place + 1]) end
  end)
end

local function track()
  local session = new_session()
  new_track(session, "Clip")
  session:save_state("")
end

local function read()
  local playlist = load():route_by_name("Clip"):to_track():playlist()
  for region in playlist:region_list():iter() do
    local midi = region:to_midiregion()
    for note in ARDOUR.LuaAPI.note_list(midi:midi_source(0):model()):iter() do
      print("note", note:time(), note:length(), note:note(), note:velocity())
    end
    local pedal = Evoral.Parameter(ARDOUR.AutomationType.MidiCCAutomation, 0, 64)
    for event in midi:control(pedal, false):list():events():iter() do print("pedal", event.when, event.value) end
  end
end

local steps = {
  make = make, wait = compose, loop = loop, roll = roll, jump = jumps, track = track, read = read,
}
steps[step](table.unpack(numbers))
close_session()
quit()
